import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase, testServerUrl, type TestDatabase } from '../support/test-database.js';
import { startServer, type TestServer } from '../support/test-server.js';
import { until } from '../support/until.js';
import { unit, type Unit } from '../support/units.js';

interface Answered {
  status: number;
  body: unknown;
}

let database: TestDatabase;
let server: TestServer;
let operator: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startServer({ DATABASE_URL: database.url });
  operator = new pg.Client(testServerUrl());
  await operator.connect();
});

afterAll(async () => {
  await server.stop();
  await operator.end();
  await database.drop();
});

const check = (asked: Unit) =>
  server.ask(
    `mutation ($unit: CollectionUnitInput!) { checkScopeState(input: { unit: $unit }) { outcome } }`,
    {
      unit: asked,
    },
  );

const ready: Answered = { status: 200, body: { status: 'ready' } };
const notReady = (reason: string): Answered => ({ status: 503, body: { status: 'not ready', reason } });

/** Changes the database, and ends the server's sessions: the next ones know of it. */
async function alter(change: string): Promise<void> {
  const name = new URL(database.url).pathname.slice(1);
  await operator.query(`alter database ${name} ${change}`);
  await operator.query(
    `select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = $1 and application_name = 'scopestate'`,
    [name],
  );
}

function become(expected: Answered): Promise<unknown> {
  const wanted = JSON.stringify(expected);
  return until(`/readyz answers ${wanted}`, async () => JSON.stringify(await readyz(server)) === wanted);
}

async function readyz({ url: at }: TestServer): Promise<Answered> {
  const response = await fetch(new URL('/readyz', at));
  return { status: response.status, body: await response.json() };
}

afterEach(async () => {
  await become(ready);
  expect(await (await fetch(new URL('/livez', server.url))).json()).toEqual({ status: 'alive' });
  expect((await check(unit())).errors).toBeUndefined();
});

test('is good when a write would be accepted', () => become(ready));

test('tells of a read-only database, and a mutation is UNAVAILABLE', async () => {
  const asked = unit();
  await database.query(
    `insert into cloudkitty_storage_states (identifier, last_processed_timestamp) values ($1, '2026-01-01')`,
    [asked.scopeId],
  );
  await alter('set default_transaction_read_only = on');
  await become(notReady('writes are refused'));
  expect(await check(asked)).toMatchObject({ errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
  await alter('reset default_transaction_read_only');
  expect(await check(asked)).toEqual({ data: { checkScopeState: { outcome: 'BACKFILLED' } } });
});

test('tells of pending migrations and of a newer schema', async () => {
  await database.query('alter table scopestate_migrations rename to elsewhere');
  await become(notReady('migrations pending'));
  await database.query('alter table elsewhere rename to scopestate_migrations');
  await become(ready);
  await database.query(`insert into scopestate_migrations (name) values ('20990101000000_of_tomorrow')`);
  await become(notReady('schema is newer than this server'));
  await database.query(`delete from scopestate_migrations where name = '20990101000000_of_tomorrow'`);
});

test('tells of a database that takes no connections, and a mutation is UNAVAILABLE', async () => {
  await alter('allow_connections false');
  await become(notReady('database unreachable'));
  expect(await check(unit())).toMatchObject({ errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
  await alter('allow_connections true');
});

test('tells of a table that a crash would empty, and a mutation is UNAVAILABLE', async () => {
  await database.query('alter table cloudkitty_storage_states set unlogged');
  await become(notReady('writes are not durable'));
  expect(await check(unit())).toMatchObject({ errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
  await database.query('alter table cloudkitty_storage_states set logged');
});

test.each([
  ['write states', 'grant select on all tables in schema public to reader'],
  [
    'add to the history',
    `grant all on all tables in schema public to reader; grant usage on all sequences in schema public to reader;
     revoke insert on scopestate_history from reader`,
  ],
])('tells of a role that may not %s, and its mutations are UNAVAILABLE', async (_, granted) => {
  await operator.query('create role reader login');
  await database.query(`${granted}; grant update on scopestate_write_probe to reader`);
  const reader = await startServer({ DATABASE_URL: database.url, PGOPTIONS: '-c role=reader' });
  try {
    const response = await fetch(new URL('/readyz', reader.url));
    expect({ status: response.status, body: await response.json() }).toEqual(notReady('writes are refused'));
    const { errors } = await reader.ask(
      'mutation ($input: CreateScopeStateInput!) { createScopeState(input: $input) { outcome } }',
      { input: { unit: unit(), lastProcessedTimestamp: '2026-01-01T00:00:00Z' } },
    );
    expect(errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }]);
  } finally {
    await reader.stop();
    await database.query('drop owned by reader');
    await operator.query('drop role reader');
  }
});
