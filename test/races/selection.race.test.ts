import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type pg from 'pg';
import { waitsForLock } from '../support/lock-waits.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer, type TestServer } from '../support/test-server.js';
import { unit, type Unit } from '../support/units.js';

let database: TestDatabase;
let server: TestServer;
let rival: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startServer({ DATABASE_URL: database.url });
  rival = await database.connect();
});

afterEach(() => rival.query('rollback'));

afterAll(async () => {
  await server.stop();
  await database.drop();
});

const table = 'cloudkitty_storage_states';

async function insertRow(to: { query: (text: string, values: unknown[]) => Promise<unknown> }, row: Unit) {
  await to.query(
    `insert into ${table} (identifier, scope_key, collector, fetcher, last_processed_timestamp)
     values ($1, $2, $3, $4, '2026-01-01')`,
    [row.scopeId, row.scopeKey, row.collector, row.fetcher],
  );
}

async function reset(scopeIdPrefix: string, planToken?: string) {
  const input = {
    select: { filter: { scopeIdPrefix } },
    lastProcessedTimestamp: '2025-12-01T00:00:00Z',
    reason: 'race',
    planToken,
  };
  const { resetScopeStates } = await server.data(
    `mutation ($input: ResetScopeStatesInput!) {
       resetScopeStates(input: $input) { outcome matched changed planToken }
     }`,
    { input },
  );
  return resetScopeStates;
}

const advanceByRival = (scopeId: string) =>
  rival.query(
    `update ${table} set last_processed_timestamp = last_processed_timestamp + interval '1 hour', version = version + 1
     where identifier = $1`,
    [scopeId],
  );

test('a state that comes with the very transaction that a reset waits for makes its plan stale', async () => {
  const one = unit();
  await insertRow(database, one);
  const { planToken } = await reset(one.scopeId);
  await rival.query('begin');
  await advanceByRival(one.scopeId);
  await insertRow(rival, { ...one, collector: 'monasca' });

  const applied = reset(one.scopeId, planToken);
  await waitsForLock(database, 'Selection.lock');
  await rival.query('commit');

  expect(await applied).toMatchObject({ outcome: 'PLAN_STALE', matched: 2, changed: 0 });
  const rows = await database.query(
    `select from ${table} where identifier = $1 and last_processed_timestamp < '2026-01-01'`,
    [one.scopeId],
  );
  expect(rows).toHaveLength(0);
});

test.each([true, false])('of two switches the one that comes last holds: active %s', async (active) => {
  const one = unit();
  await insertRow(database, one);
  await database.query(`update ${table} set active = $2 where identifier = $1`, [one.scopeId, active]);
  await rival.query('begin');
  await rival.query(`update ${table} set active = $2 where identifier = $1`, [one.scopeId, !active]);

  const switched = server.data(
    `mutation ($input: SetScopeActivationInput!) {
       setScopeActivation(input: $input) { outcome matched changed sample { active } }
     }`,
    { input: { select: { units: [one] }, active, reason: 'race' } },
  );
  await waitsForLock(database, 'Selection.lock');
  await rival.query('commit');

  expect((await switched).setScopeActivation).toEqual({
    outcome: 'APPLIED',
    matched: 1,
    changed: 1,
    sample: [{ active }],
  });
  expect(await database.query(`select active from ${table} where identifier = $1`, [one.scopeId])).toEqual([
    { active },
  ]);
});

test('of two clients that apply one plan at once, one does', async () => {
  const one = unit();
  await insertRow(database, one);
  const { planToken } = await reset(one.scopeId);
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => reset(one.scopeId, planToken)));
  expect(outcomes.map(({ outcome }) => outcome).toSorted()).toEqual([
    'APPLIED',
    ...Array(7).fill('PLAN_STALE'),
  ]);
});
