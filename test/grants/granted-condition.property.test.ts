import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { allUnits, cover, type Grant } from '../../src/caller/grant.rules.js';
import { Parameters } from '../../src/scope-state/condition.sql.js';
import { granted, narrowed } from '../../src/scope-state/granted.sql.js';
import { rowColumns, table, toScopeState, type ScopeStateRow } from '../../src/scope-state/row.sql.js';
import type { ScopeState } from '../../src/scope-state/scope-state.rules.js';
import { conditionOfChanges } from '../../src/history/change-condition.sql.js';
import { changeColumns, history, toChange, type ChangeRow } from '../../src/history/change-row.sql.js';
import { seenWith, type Change } from '../../src/history/change.rules.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { scaled } from '../support/units.js';
import { grant } from './granted-api.js';

const ids = ['a', 'A', 'ab', 'a%', 'a_b', 'a\\', '\\%b', 'a*b', 'é', 'e\u0301', '😀', '😀x'];
const parts = [null, 'x', 'X', 'x_', 'é'];

let database: TestDatabase;
let states: ScopeState[];
let changes: Change[];

beforeAll(async () => {
  database = await createTestDatabase();
  await database.query(
    `insert into ${table} (identifier, scope_key, collector, fetcher, last_processed_timestamp)
     select id, k, c, f, timestamp '2026-01-01'
     from unnest($1::text[]) id, unnest($2::text[]) k, unnest($2::text[]) c, unnest($2::text[]) f`,
    [ids, parts],
  );
  // Each state goes to the unit of another one (of its own sometimes), and some are removed: all by a foreign writer.
  await database.query(`alter table ${table} drop constraint uq_cloudkitty_storage_states_identifier`);
  await database.query(
    `update ${table} s set (identifier, scope_key, collector, fetcher, active) =
       (select o.identifier, o.scope_key, o.collector, o.fetcher, false from ${table} o
        where o.id = 1 + (s.id * 7919) % (select count(*) from ${table}))`,
  );
  await database.query(`delete from ${table} where id % 10 = 0`);
  const rows = await database.query<ScopeStateRow & Record<string, unknown>>(
    `select ${rowColumns('s')} from ${table} s order by s.id`,
  );
  states = rows.map(toScopeState);
  const entries = await database.query<ChangeRow & Record<string, unknown>>(
    `select ${changeColumns('h')} from ${history} h order by h.sequence`,
  );
  changes = entries.map(toChange);
  expect(changes.filter(({ before, after }) => before && after)).not.toHaveLength(0);
});
afterAll(() => database.drop());

const pattern = (whole: readonly string[]) =>
  fc.oneof(
    fc.constantFrom('*', '**', ...whole),
    fc
      .array(fc.constantFrom('a', 'b', 'x', 'X', '*', '%', '_', '\\', 'é', 'e', '😀'), { maxLength: 5 })
      .map((pieces) => pieces.join('')),
  );
const texts = parts.filter((part) => part !== null);
const grants = fc.array(
  fc.record<Grant>({
    scopeId: pattern(ids),
    scopeKey: pattern(texts),
    collector: pattern(texts),
    fetcher: pattern(texts),
  }),
  { maxLength: 3 },
);

test('grants cover in memory exactly the rows that they select in the table', async () => {
  await fc.assert(
    fc.asyncProperty(grants, async (given) => {
      const parameters = new Parameters();
      const found = await database.query<{ id: number }>(
        `select id from ${table} s where ${narrowed('true', given, parameters)} order by id`,
        parameters.values,
      );
      expect(states.filter((state) => cover(given, state)).map(({ id }) => id)).toEqual(
        found.map(({ id }) => id),
      );
    }),
    { numRuns: scaled(2_000, 200) },
  );
});

test('an entry is read from the history exactly where one of its two states is shown, and matches', async () => {
  const list = (values: readonly string[]) => fc.option(fc.subarray([...values]), { nil: null });
  const filters = fc.record({ scopeIds: list(ids), collectors: list(texts) });
  await fc.assert(
    fc.asyncProperty(grants, filters, async (given, filter) => {
      const parameters = new Parameters();
      const found = await database.query<{ sequence: string }>(
        `select sequence from ${history} h where ${conditionOfChanges(filter, given, parameters)} order by sequence`,
        parameters.values,
      );
      const see = seenWith(given);
      const isAny = (values: string[] | null, text: string | null) =>
        values === null || (text !== null && values.includes(text));
      const fits = ({ before, after }: Change) =>
        [before, after].some(
          (state) =>
            state && isAny(filter.scopeIds, state.scopeId) && isAny(filter.collectors, state.collector),
        );
      const shown = changes.map(see).filter((change) => change !== undefined && fits(change));
      expect(shown.map((change) => String(change!.sequence))).toEqual(found.map(({ sequence }) => sequence));
    }),
    { numRuns: scaled(1_000, 100) },
  );
});

test('whoever is granted everything sends the statement as it was', () => {
  const parameters = new Parameters();
  expect(granted(allUnits, 's.', parameters)).toBeUndefined();
  expect(narrowed('a = b', [grant({ collector: 'x' }), grant({ fetcher: '**' })], parameters)).toBe('a = b');
  expect(parameters.values).toEqual([]);
});
