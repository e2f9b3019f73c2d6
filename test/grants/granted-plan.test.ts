import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Parameters } from '../../src/scope-state/condition.sql.js';
import { narrowed } from '../../src/scope-state/granted.sql.js';
import { table } from '../../src/scope-state/row.sql.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { grant } from './granted-api.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.query(
    `insert into ${table} (identifier, scope_key, collector, fetcher, last_processed_timestamp)
     select format('tenant-%s-%s', lpad((n / 10)::text, 5, '0'), n % 10), 'k', 'c', 'f', timestamp '2026-01-01'
     from generate_series(1, 20000) n`,
  );
  await database.query(`analyze ${table}`);
});
afterAll(() => database.drop());

test.each([
  ['a prefix', 'tenant-00017*', `((identifier)::text >= 'tenant-00017'::text)`],
  ['a whole text', 'tenant-00017-3', `((identifier)::text = 'tenant-00017-3'::text)`],
])('%s of the scope id is a range of the index that lists are sorted by', async (_, scopeId, range) => {
  const parameters = new Parameters();
  const condition = narrowed('true', [grant({ scopeId, collector: 'c' })], parameters);
  const plan = await database.query<{ 'QUERY PLAN': string }>(
    `explain select * from ${table} s where ${condition} order by s.identifier, s.id limit 100`,
    parameters.values,
  );
  const lines = plan.map((line) => line['QUERY PLAN']);
  expect(lines.find((line) => line.includes('Index Cond'))).toContain(range);
});
