import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer, type TestServer } from '../support/test-server.js';
import { scaled, unit, type Unit } from '../support/units.js';

jest.setTimeout(600_000); // the full run's rounds

let database: TestDatabase;
let servers: TestServer[];

beforeAll(async () => {
  database = await createTestDatabase();
});

beforeEach(async () => {
  const settings = { DATABASE_URL: database.url };
  servers = await Promise.all([startServer(settings), startServer(settings)]);
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await database.drop();
});

const table = 'cloudkitty_storage_states';
const batchSize = 500;
const batches = 12;
const rounds = scaled(10, 2);

/** Half of the units have a row, a quarter a legacy row, the rest none: batches lock, claim and insert. */
async function insertSome(units: Unit[]): Promise<void> {
  await database.query(
    `insert into ${table} (identifier, scope_key, collector, fetcher, last_processed_timestamp)
     select identifier, case when n % 4 < 2 then 'project_id' end, case when n % 4 < 2 then 'gnocchi' end,
       case when n % 4 < 2 then 'keystone' end, '2026-01-01'
     from unnest($1::text[]) with ordinality as given (identifier, n) where n % 4 < 3 order by random()`,
    [units.map(({ scopeId }) => scopeId)],
  );
}

/** The database's own counter. Sessions bring it up to date at the latest when they end. */
async function deadlocksOfStoppedServers(): Promise<number> {
  await Promise.all(servers.map((server) => server.stop()));
  for (const end = Date.now() + 10_000; Date.now() < end;) {
    const [row] = await database.query<{ deadlocks: string; sessions: number }>(
      `select deadlocks, (
         select count(*)::int from pg_stat_activity where datname = current_database() and application_name = 'scopestate'
       ) as sessions
       from pg_stat_database where datname = current_database()`,
    );
    if (row!.sessions === 0) return Number(row!.deadlocks);
  }
  throw new Error('the sessions of a stopped server do not end');
}

const mutations = {
  advanceScopeStates: (units: Unit[], at: string) => ({
    advances: units.map((one) => ({ unit: one, lastProcessedTimestamp: at })),
  }),
  checkScopeStates: (units: Unit[]) => ({ units }),
};

async function send(server: TestServer, name: keyof typeof mutations, units: Unit[], at: string) {
  const type = name === 'advanceScopeStates' ? 'AdvanceScopeStatesInput' : 'CheckScopeStatesInput';
  const query = `mutation ($input: ${type}!) { ${name}(input: $input) { results { outcome } } }`;
  const answer = await server.data(query, { input: mutations[name](units, at) });
  return answer[name].results as { outcome: string }[];
}

test('big batches with the same units in opposite orders, on both servers, neither fail nor deadlock', async () => {
  const start = Date.UTC(2026, 0, 2);
  for (let round = 0; round < rounds; round++) {
    const units = Array.from({ length: batchSize }, () => unit());
    await insertSome(units);
    const answers = await Promise.all(
      Array.from({ length: batches }, (_, n) => {
        // Overlapping windows, each second one backwards: what one takes first another takes last.
        const from = (Math.floor(n / 2) * 40) % batchSize;
        const turned = [...units.slice(from), ...units.slice(0, from)];
        const ordered = n % 2 === 0 ? turned : turned.toReversed();
        const at = new Date(start + n * 3_600_000).toISOString();
        return send(
          servers[Math.floor(n / 2) % 2]!,
          n % 4 === 3 ? 'checkScopeStates' : 'advanceScopeStates',
          ordered,
          at,
        );
      }),
    );
    for (const results of answers) expect(results).toHaveLength(batchSize);
    // The latest instant that was asked for won everywhere, and each unit has one row.
    const latest = new Date(start + (batches - 2) * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
    expect(
      await database.query(
        `select count(*)::int as rows, count(distinct identifier)::int as units, max(last_processed_timestamp)::text as last,
           min(last_processed_timestamp)::text as first
         from ${table} where identifier = any ($1)`,
        [units.map(({ scopeId }) => scopeId)],
      ),
    ).toEqual([{ rows: batchSize, units: batchSize, last: latest, first: latest }]);
  }
  expect(await deadlocksOfStoppedServers()).toBe(0);
});

test('a reset of everything among batches neither fails nor deadlocks', async () => {
  const units = Array.from({ length: batchSize }, () => unit());
  await insertSome(units);
  const reset = (planToken?: string) =>
    servers[1]!.data(
      `mutation ($input: ResetScopeStatesInput!) {
         resetScopeStates(input: $input) { outcome planToken }
       }`,
      {
        input: {
          select: { filter: { legacy: false } },
          lastProcessedTimestamp: '2026-01-01T00:00:00Z',
          reason: 'race',
          planToken,
        },
      },
    );
  const plans = Array.from({ length: scaled(40, 6) }, async () => {
    const { resetScopeStates } = await reset();
    return reset(resetScopeStates.planToken as string);
  });
  const sent = Array.from({ length: batches }, (_, n) =>
    send(
      servers[n % 2]!,
      'advanceScopeStates',
      n % 4 < 2 ? units : units.toReversed(),
      new Date(Date.UTC(2026, 1, 1, n)).toISOString(),
    ),
  );
  const outcomes = (await Promise.all(plans)).map(({ resetScopeStates }) => resetScopeStates.outcome);
  await Promise.all(sent);
  expect(outcomes.every((outcome) => ['APPLIED', 'PLAN_STALE'].includes(outcome as string))).toBe(true);
  expect(await deadlocksOfStoppedServers()).toBe(0);
});
