import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { migrateUp } from '../support/command.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer, type TestServer } from '../support/test-server.js';

const dump = 'head-populated.sql';

interface Expected {
  id: number;
  scopeId: string;
  scopeKey: string | null;
  collector: string | null;
  fetcher: string | null;
  legacy: boolean;
  lastProcessedTimestamp: string;
  scopeActivationToggleDate: string;
  active: boolean;
}

const rows = readFileSync(`test/fixtures/cloudkitty/${dump}`, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('INSERT INTO public.cloudkitty_storage_states VALUES'))
  .map(readInsert);

/** id, identifier, scope_key, fetcher, collector, state, toggle date, active: CloudKitty's order of columns. */
function readInsert(line: string): Expected {
  const values = [...line.slice(line.indexOf('(')).matchAll(/'([^']*)'|NULL|\d+|true|false/g)];
  const [id, scopeId, scopeKey, fetcher, collector, state, toggled, active] = values.map(([raw, quoted]) =>
    raw === 'NULL' ? null : (quoted ?? raw),
  );
  return {
    id: Number(id),
    scopeId: scopeId!,
    scopeKey: scopeKey!,
    collector: collector!,
    fetcher: fetcher!,
    legacy: [scopeKey, collector, fetcher].every((text) => text === null),
    lastProcessedTimestamp: `${state!.replace(' ', 'T')}Z`,
    scopeActivationToggleDate: `${toggled!.replace(' ', 'T')}Z`,
    active: active === 'true',
  };
}

/** What the API says of a row. */
const fields = `scopeId scopeKey collector fetcher legacy lastProcessedTimestamp active scopeActivationToggleDate`;
const inApi = ({ id: _id, ...row }: Expected) => row;

let database: TestDatabase;
let server: TestServer;

beforeAll(async () => {
  database = await createTestDatabase({ dump });
  await migrateUp(database.url);
  server = await startServer({ DATABASE_URL: database.url });
});

afterAll(async () => {
  await server.stop();
  await database.drop();
});

/** The unit that a collector of this row asks for; a legacy row's is anyone's. */
function unitOf(row: Expected) {
  const { scopeId, scopeKey, collector, fetcher } = row;
  return {
    scopeId,
    scopeKey: scopeKey ?? 'project_id',
    collector: collector ?? 'gnocchi',
    fetcher: fetcher ?? 'keystone',
  };
}

const label = ({ id, scopeId, collector }: Expected) => ({ id, scopeId: scopeId.slice(0, 40), collector });
const cases = rows.map((row) => ({ row, ...label(row) }));

test('the dump has the rows that are asked for here', () => {
  expect(rows).toHaveLength(22);
  expect(rows.filter(({ legacy }) => legacy)).toHaveLength(7);
  expect(rows.filter(({ active }) => !active)).toHaveLength(2);
  expect(rows.filter(({ scopeId }) => scopeId === 'multi')).toHaveLength(4);
  expect(rows.filter(({ scopeId }) => scopeId.length === 256)).toHaveLength(1);
  expect(rows.filter(({ lastProcessedTimestamp: at }) => /\.\d{6}Z$/.test(at))).toHaveLength(1);
  expect(rows.filter(({ collector, fetcher }) => collector !== null && fetcher === null)).toHaveLength(1);
});

describe('a query', () => {
  test('pages through all rows just as CloudKitty left them', async () => {
    const { scopeStates } = await server.data(
      `{ scopeStates(first: 100) { totalCount nodes { ${fields} version lastAdvancedAt } } }`,
    );
    const inOrder = rows.toSorted(
      (one, other) =>
        Buffer.compare(Buffer.from(one.scopeId), Buffer.from(other.scopeId)) || one.id - other.id,
    );
    expect(scopeStates).toEqual({
      totalCount: 22,
      nodes: inOrder.map((row) => ({ ...inApi(row), version: 1, lastAdvancedAt: null })),
    });
  });

  test.each(cases)('answers row $id, $scopeId of $collector, and changes nothing', async ({ row }) => {
    const xmin = () =>
      database.query('select xmin::text from cloudkitty_storage_states where id = $1', [row.id]);
    const before = await xmin();
    const { scopeState } = await server.data(
      `query ($unit: CollectionUnitInput!) { scopeState(unit: $unit) { ${fields} lag duePeriods } }`,
      { unit: unitOf(row) },
    );
    if (isPartlyFilled(row)) expect(scopeState).toBeNull();
    else expect(scopeState).toMatchObject(inApi(row));
    if (!row.active) expect(scopeState.duePeriods).toBe(0);
    if (row.scopeId === 'far-future') expect(scopeState).toMatchObject({ lag: 'PT0S', duePeriods: 0 });
    expect(await xmin()).toEqual(before);
  });
});

describe('a check', () => {
  test.each(cases)('answers row $id, $scopeId of $collector', async ({ row }) => {
    const asked = unitOf(row);
    const checkScopeState = await checked(asked);
    if (isPartlyFilled(row)) {
      expect(checkScopeState).toEqual({ outcome: 'UNKNOWN', scopeState: null });
      expect(await stored(row.id)).toEqual([{ scope_key: null, collector: 'gnocchi', fetcher: null }]);
      return;
    }
    expect(checkScopeState).toEqual({
      outcome: row.legacy ? 'BACKFILLED' : 'FOUND',
      scopeState: { ...inApi(row), ...asked, legacy: false, version: row.legacy ? 2 : 1 },
    });
    expect(await stored(row.id)).toEqual([
      { scope_key: asked.scopeKey, collector: asked.collector, fetcher: asked.fetcher },
    ]);
    expect(await checked(asked)).toEqual({ ...checkScopeState, outcome: 'FOUND' });
  });

  test('of a unit that CloudKitty has no row for is UNKNOWN', async () => {
    for (const row of rows) {
      expect(await checked({ ...unitOf(row), collector: 'prometheus-2' })).toEqual({
        outcome: 'UNKNOWN',
        scopeState: null,
      });
    }
    expect(await database.query('select from cloudkitty_storage_states')).toHaveLength(22);
  });
});

describe('an advance to an hour later', () => {
  test.each(cases)('decides on row $id, $scopeId of $collector', async ({ row }) => {
    const before = Temporal.Instant.from(row.lastProcessedTimestamp);
    const asked = before.add({ hours: 1 }).toString();
    const { advanceScopeState } = await server.data(
      `mutation ($input: AdvanceScopeStateInput!) {
        advanceScopeState(input: $input) { outcome backfilled scopeState { ${fields} } }
      }`,
      { input: { unit: unitOf(row), lastProcessedTimestamp: asked } },
    );
    const outcome = outcomeOf(row);
    const moves = outcome === 'ADVANCED' || outcome === 'CREATED';
    expect(advanceScopeState).toMatchObject({
      outcome,
      backfilled: false,
      scopeState: {
        ...unitOf(row),
        active: row.active,
        lastProcessedTimestamp: moves ? asked : row.lastProcessedTimestamp,
      },
    });
    expect(
      await database.query(
        `select to_char(last_processed_timestamp, 'YYYY-MM-DD"T"HH24:MI:SS.US') as at from cloudkitty_storage_states where id = $1`,
        [row.id],
      ),
    ).toEqual([
      {
        at: (outcome === 'ADVANCED' ? before.add({ hours: 1 }) : before)
          .toString({ smallestUnit: 'microsecond' })
          .slice(0, -1),
      },
    ]);
  });
});

/** The partly filled row is nobody's: its unit begins anew beside it. */
function outcomeOf(row: Expected): string {
  if (isPartlyFilled(row)) return 'CREATED';
  if (row.scopeId === 'far-future') return 'IN_FUTURE';
  return row.active ? 'ADVANCED' : 'INACTIVE';
}

function isPartlyFilled(row: Expected): boolean {
  return row.scopeId === 'partly-filled';
}

async function checked(asked: ReturnType<typeof unitOf>) {
  const { checkScopeState } = await server.data(
    `mutation ($unit: CollectionUnitInput!) {
      checkScopeState(input: { unit: $unit }) { outcome scopeState { ${fields} version } }
    }`,
    { unit: asked },
  );
  return checkScopeState;
}

function stored(id: number) {
  return database.query('select scope_key, collector, fetcher from cloudkitty_storage_states where id = $1', [
    id,
  ]);
}
