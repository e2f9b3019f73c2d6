import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { OwnPostgres } from '../support/own-postgres.js';
import { presentSequence, useSubscribers } from '../support/subscriber.js';
import { startServer, type TestServer } from '../support/test-server.js';
import { unit, type Unit } from '../support/units.js';

const advance = `mutation ($input: AdvanceScopeStateInput!) { advanceScopeState(input: $input) { outcome } }`;

let postgres: OwnPostgres;
let server: TestServer;
beforeAll(async () => {
  postgres = await OwnPostgres.create({ settings: ['max_prepared_transactions=5'] });
  server = await startServer({ DATABASE_URL: postgres.url });
});
afterAll(async () => {
  await server.stop();
  await postgres.remove();
});

const subscribe = useSubscribers();
const moveTo = (one: Unit, hour: number) =>
  server.data(advance, { input: { unit: one, lastProcessedTimestamp: `2026-01-01T0${hour}:00:00Z` } });

test.each(['commit', 'rollback'])(
  'a writer that is prepared after its number was missed keeps back what came after it, until its %s',
  async (end) => {
    const [held, other] = [unit(), unit()];
    for (const one of [held, other]) await moveTo(one, 0);
    const afterSequence = await presentSequence(server.url);
    const filter = { scopeIds: [held.scopeId, other.scopeId] };
    const subscriber = subscribe(server.url, { filter, afterSequence });
    const writer = await postgres.connect();
    await writer.query('begin');
    await writer.query(
      `update cloudkitty_storage_states set last_processed_timestamp = '2026-01-01 01:00' where identifier = $1`,
      [held.scopeId],
    );
    await moveTo(other, 1);
    // The feed has looked since; each of these ends with one more look.
    expect(await presentSequence(server.url)).toBe(afterSequence);
    await writer.query(`prepare transaction 'of ${end}'`);
    await writer.end();
    for (let look = 0; look < 3; look++) expect(await presentSequence(server.url)).toBe(afterSequence);
    expect(subscriber.events).toEqual([]);
    await postgres.query(`${end} prepared 'of ${end}'`);
    const wanted = end === 'commit' ? [held, other] : [other];
    await subscriber.saw(wanted.length);
    expect(subscriber.events.map(({ scopeState }) => scopeState!.scopeId)).toEqual(
      wanted.map(({ scopeId }) => scopeId),
    );
  },
);
