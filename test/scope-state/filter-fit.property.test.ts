import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { conditionOf, Parameters } from '../../src/scope-state/condition.sql.js';
import { fitOf, type ScopeStateFilter } from '../../src/scope-state/filter.rules.js';
import { rowColumns, table, toScopeState, type ScopeStateRow } from '../../src/scope-state/row.sql.js';
import type { ScopeState } from '../../src/scope-state/scope-state.rules.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { scaled } from '../support/units.js';

let database: TestDatabase;
let states: ScopeState[];

const ids = ['a', 'A', 'ab', 'a%', 'a_b', 'é', 'e\u0301', '😀', '😀x'];
const parts = [null, 'x', 'X', 'y'];

beforeAll(async () => {
  database = await createTestDatabase();
  await database.query(
    `insert into ${table} (identifier, scope_key, collector, fetcher, last_processed_timestamp, active)
     select id, k, c, f, timestamp '2026-01-01' + (row_number() over ()) % 5 * interval '1 microsecond', random() < 0.5
     from unnest($1::text[]) id, unnest($2::text[]) k, unnest($2::text[]) c, unnest($2::text[]) f`,
    [ids, parts],
  );
  const rows = await database.query<ScopeStateRow & Record<string, unknown>>(
    `select ${rowColumns('s')} from ${table} s`,
  );
  states = rows.map(toScopeState);
});
afterAll(() => database.drop());

const maybe = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined, freq: 1 });
const list = (values: readonly (string | null)[]) =>
  maybe(fc.option(fc.subarray(values.filter((value) => value !== null)), { nil: null }));
const instant = maybe(
  fc
    .integer({ min: -1, max: 5 })
    .map((n) => Temporal.Instant.from('2026-01-01T00:00:00Z').add({ microseconds: n })),
);
const filters: fc.Arbitrary<ScopeStateFilter> = fc.record({
  scopeIds: list(ids),
  scopeKeys: list(parts),
  collectors: list(parts),
  fetchers: list(parts),
  scopeIdPrefix: maybe(fc.constantFrom('a', 'A', 'a%', 'a_', 'é', 'e', '😀')),
  active: maybe(fc.boolean()),
  legacy: maybe(fc.boolean()),
  processedBefore: instant,
  processedSince: instant,
});

test('a filter lets through in memory exactly the rows that it finds in the table', async () => {
  await fc.assert(
    fc.asyncProperty(filters, async (filter) => {
      const parameters = new Parameters();
      const found = await database.query<{ id: number }>(
        `select id from ${table} s where ${conditionOf(filter, parameters)} order by id`,
        parameters.values,
      );
      const fits = fitOf(filter);
      expect(
        states
          .filter(fits)
          .map(({ id }) => id)
          .sort((a, b) => a - b),
      ).toEqual(found.map(({ id }) => id));
    }),
    { numRuns: scaled(1_000, 100) },
  );
});
