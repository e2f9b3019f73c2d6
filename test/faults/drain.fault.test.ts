import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Tokens } from '../access/tokens.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer, type TestServer } from '../support/test-server.js';
import { unit } from '../support/units.js';
import { until } from '../support/until.js';

let database: TestDatabase;
let server: TestServer;

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startServer({ DATABASE_URL: database.url });
});
afterAll(async () => {
  server.process.kill('SIGKILL');
  await database.drop();
});

const advance = `mutation ($input: AdvanceScopeStateInput!) { advanceScopeState(input: $input) { outcome } }`;
const inputAt = (lastProcessedTimestamp: string) => ({ input: { unit: mine, lastProcessedTimestamp } });
const mine = unit();

/** Over a connection of its own: `undefined` where none is taken any more. */
async function statusOf(path: string): Promise<number | undefined> {
  return fetch(new URL(path, server.url), { headers: { connection: 'close' } }).then(
    ({ status }) => status,
    () => undefined,
  );
}

test('SIGTERM: not ready first, then no new requests, and those at work are answered', async () => {
  await server.data(advance, inputAt('2026-01-01T00:00:00Z'));
  const other = await database.connect();
  await other.query('begin; select * from cloudkitty_storage_states for update');
  const atWork = server.data(advance, inputAt('2026-01-01T01:00:00Z'));
  await until('the advance waits for the lock', async () => {
    const waiting = await database.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return waiting.length > 0;
  });

  const exit = server.stop();
  const seen: (number | undefined)[] = [];
  await until('no new connection is taken', async () => {
    seen.push(await statusOf('/readyz'));
    return seen.at(-1) === undefined;
  });
  expect(seen).toContain(503); // whoever balances load had time to see it

  await other.query('rollback');
  expect(await atWork).toEqual({ advanceScopeState: { outcome: 'ADVANCED' } });
  expect(await exit).toBe(0);
});

test('who waits for his token when it comes is answered, too', async () => {
  const tokens = new Tokens(database);
  const { text } = await tokens.create('late', 'reader');
  await tokens.close();
  const strict = await startServer({ DATABASE_URL: database.url, SCOPESTATE_AUTH: 'token' });
  const other = await database.connect();
  await other.query('begin; lock table scopestate_tokens in access exclusive mode');
  const answer = fetch(strict.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${text}` },
    body: JSON.stringify({ query: '{ late: __typename }' }), // never seen: it has to go the long way
  });
  await until('the look-up waits for the lock', async () => {
    const waiting = await database.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return waiting.length > 0;
  });
  const exit = strict.stop();
  await until('no connection is taken any more', () =>
    fetch(new URL('/readyz', strict.url), { headers: { connection: 'close' } }).then(
      () => false,
      () => true,
    ),
  );
  await other.query('rollback');
  expect(await (await answer).json()).toEqual({ data: { late: 'Query' } });
  expect(await exit).toBe(0);
});
