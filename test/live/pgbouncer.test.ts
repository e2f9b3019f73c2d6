import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { promised } from '../support/promised.js';
import { presentSequence, useSubscribers } from '../support/subscriber.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer, type TestServer } from '../support/test-server.js';
import { unit } from '../support/units.js';
import { PgBouncer, whyNoPgBouncer } from './pgbouncer-server.js';

const whyNot = whyNoPgBouncer();
if (whyNot !== undefined) {
  console.log(`Live updates behind a PgBouncer are NOT tested in this run: ${whyNot}`);
}
const describePgBouncer = whyNot === undefined ? describe : describe.skip;

const table = 'cloudkitty_storage_states';
const advance = `mutation ($input: AdvanceScopeStateInput!) { advanceScopeState(input: $input) { outcome } }`;
const minute = (n: number) => new Date(Date.UTC(2026, 0, 1, 0, n)).toISOString().replace('.000', '');

describePgBouncer('behind a PgBouncer in transaction mode', () => {
  let database: TestDatabase;
  let bouncer: PgBouncer;
  let servers: TestServer[];

  beforeAll(async () => {
    database = await createTestDatabase();
    bouncer = await PgBouncer.start(database.url);
    servers = await Promise.all([1, 2].map(() => startServer({ DATABASE_URL: bouncer.url })));
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await bouncer.stop();
    await database.drop();
  });
  const subscribe = useSubscribers();

  test('changes through any server, and past all of them, come within two seconds, each once and in order', async () => {
    const [one, two] = servers as [TestServer, TestServer];
    const changed = unit();
    const afterSequence = await presentSequence(one.url);
    const subscriber = subscribe(one.url, { afterSequence });
    for (let n = 0; n < 20; n++) {
      const through = n % 2 === 0 ? one : two;
      await through.data(advance, { input: { unit: changed, lastProcessedTimestamp: minute(n) } });
    }
    await database.query(`update ${table} set active = false where identifier = $1`, [changed.scopeId]);
    const startedAt = performance.now();
    await subscriber.saw(21);
    expect(performance.now() - startedAt).toBeLessThan(promised(2_000));
    expect(subscriber.events.map(({ scopeState }) => scopeState!.version)).toEqual(
      Array.from({ length: 21 }, (_, place) => place + 1),
    );
  });

  test('a writer that holds its transaction open keeps back what came after it', async () => {
    const [one, two] = servers as [TestServer, TestServer];
    const [held, other] = [unit(), unit()];
    for (const each of [held, other]) {
      await one.data(advance, { input: { unit: each, lastProcessedTimestamp: minute(0) } });
    }
    const afterSequence = await presentSequence(one.url);
    const subscriber = subscribe(one.url, { afterSequence });
    const writer = await database.connect();
    await writer.query('begin');
    await writer.query(`update ${table} set active = false where identifier = $1`, [held.scopeId]);
    await two.data(advance, { input: { unit: other, lastProcessedTimestamp: minute(1) } });
    expect(await presentSequence(one.url)).toBe(afterSequence);
    expect(subscriber.events).toEqual([]);
    await writer.query('commit');
    await subscriber.saw(2);
    expect(subscriber.events.map(({ scopeState }) => scopeState!.scopeId)).toEqual([
      held.scopeId,
      other.scopeId,
    ]);
  });
});
