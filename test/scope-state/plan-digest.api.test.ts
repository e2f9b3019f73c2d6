import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer, type TestServer } from '../support/test-server.js';

let database: TestDatabase;
let server: TestServer;

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startServer({ DATABASE_URL: database.url });
});

afterAll(async () => {
  await server.stop();
  await database.drop();
});

/** Contiguous ids from 1: the ones that a weak digest confuses with their own revisions. */
const ids = Array.from({ length: 64 }, (_, place) => place + 1);

beforeEach(async () => {
  await database.query('truncate cloudkitty_storage_states restart identity');
  await database.query(
    `insert into cloudkitty_storage_states (identifier, scope_key, collector, fetcher, last_processed_timestamp)
     select 'scope-' || id, 'project_id', 'gnocchi', 'keystone', '2026-01-01' from unnest($1::int[]) id order by id`,
    [ids],
  );
});

async function reset(scopeIds: string[], planToken?: string) {
  const { resetScopeStates } = await server.data(
    `mutation ($input: ResetScopeStatesInput!) {
       resetScopeStates(input: $input) { outcome matched changed planToken }
     }`,
    {
      input: {
        select: { filter: { scopeIds } },
        lastProcessedTimestamp: '2025-12-01T00:00:00Z',
        reason: 'digest',
        planToken,
      },
    },
  );
  return resetScopeStates;
}

const blocks = [1, 2, 3, 4, 5, 8, 16, 64].flatMap((size) =>
  [1, 2, 4, 5].filter((first) => first + size - 1 <= 64).map((first) => [size, first] as const),
);

test.each(blocks)(
  'a plan of %i states from id %i is good once, however their ids and revisions mix',
  async (size, first) => {
    const scopeIds = ids.slice(first - 1, first - 1 + size).map((id) => `scope-${id}`);
    const { planToken } = await reset(scopeIds);
    expect(await reset(scopeIds, planToken)).toMatchObject({ outcome: 'APPLIED', changed: size });
    expect(await reset(scopeIds, planToken)).toMatchObject({ outcome: 'PLAN_STALE', changed: 0 });
    expect(await reset(scopeIds, planToken)).toMatchObject({ outcome: 'PLAN_STALE', changed: 0 });
  },
);

test('a plan does not fit another set, whatever the revisions of its states are', async () => {
  // By XOR with their ids, all revisions of a pair could be exchanged for those of another.
  await database.query(
    'update cloudkitty_storage_states set revision = 1 + (id # 5) where id between 4 and 7',
  );
  const pairs = ids.slice(0, 16).flatMap((one) => ids.slice(one, 16).map((other) => [one, other]));
  for (const [place, pair] of pairs.entries()) {
    const { planToken } = await reset(pair.map((id) => `scope-${id}`));
    const others = pairs[(place + 1) % pairs.length]!;
    const applied = await reset(
      others.map((id) => `scope-${id}`),
      planToken,
    );
    expect(applied).toMatchObject({ outcome: 'PLAN_STALE', changed: 0 });
  }
});

test('no two sets of ids and revisions have one digest', async () => {
  const [row] = await database.query<{ pairs: string; hashes: string }>(
    `select count(*) as pairs, count(distinct hash) as hashes from (
       select hashint8extended(mark::bigint, hashint8extended(id::bigint, 1)) as hash
       from generate_series(1, 300) id, generate_series(1, 300) mark
     ) hashed`,
  );
  expect(row).toEqual({ pairs: '90000', hashes: '90000' });
});

test('a plan does not fit states of other units that have come by the ids of those that it is of', async () => {
  const column = (change: string) => `update cloudkitty_storage_states set ${change}`;
  for (const given of [
    `begin; set local session_replication_role = replica; ${column('id = 1000 where id = 1')}; ${column('id = 1 where id = 2')};
     ${column('id = 2 where id = 1000')}; commit`,
    `begin; set local session_replication_role = replica; ${column(`collector = 'monasca' where id = 1`)}; commit`,
  ]) {
    const select = { ids: [Buffer.from('ScopeState:1').toString('base64url')] };
    const deleted = async (planToken?: string) =>
      (
        await server.data(
          `mutation ($input: DeleteScopeStatesInput!) { deleteScopeStates(input: $input) { outcome planToken changed } }`,
          { input: { select, reason: 'digest', planToken } },
        )
      ).deleteScopeStates;
    const { planToken } = await deleted();
    await database.query(given);
    expect(await deleted(planToken)).toMatchObject({ outcome: 'PLAN_STALE', changed: 0 });
  }
});
