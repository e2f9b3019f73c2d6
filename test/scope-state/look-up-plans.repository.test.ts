import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { lock, look, probe } from '../../src/scope-state/locked-states.sql.js';
import { advancePlain, advancePlainOne } from '../../src/scope-state/plain-advances.sql.js';
import { ScopeStateRepository } from '../../src/scope-state/scope-state.repository.js';
import { unitParameters } from '../../src/scope-state/unit-match.sql.js';
import { fillWithStates } from '../support/many-states.js';
import { NotingPool, planOf, type Plan } from '../support/plans.js';
import { createTestDatabase, postgresMajors, type TestDatabase } from '../support/test-database.js';
import { scaled, unit } from '../support/units.js';

const ofMany = 'ScopeStates.ofEach';
const ofOne = 'ScopeStates.ofOne';

const states = scaled(1_000_000, 50_000);

describe.each(postgresMajors)(`on PostgreSQL %i, among ${states} states,`, (major) => {
  let database: TestDatabase;
  let client: pg.Client;
  const statements = new Map(
    [lock, probe, look, advancePlain, advancePlainOne].map(({ name, text }) => [name, text]),
  );

  beforeAll(async () => {
    database = await createTestDatabase({ major });
    await fillWithStates(database, states);
    client = await database.connect();
    const pool = new pg.Pool({ connectionString: database.url, max: 1 });
    const noting = new NotingPool(pool);
    await new ScopeStateRepository(noting.pool).findEach([]);
    await new ScopeStateRepository(noting.pool).find(unit());
    await pool.end();
    noting.statements.forEach(({ name, text }) => statements.set(name!.split(' ')[0]!, text));
  }, 300_000);
  afterAll(() => database.drop());

  /** Of those that fulfil a condition; unless told, every third has no state. */
  async function unitsOf(
    count: number,
    condition = 'true',
    scopeId = `identifier || case when id % 3 = 0 then 'x' else '' end`,
  ) {
    const rows = await database.query<{
      scopeId: string;
      scopeKey: string;
      collector: string;
      fetcher: string;
    }>(
      `select ${scopeId} as "scopeId", coalesce(scope_key, 'k') as "scopeKey",
         coalesce(collector, 'c') as collector, coalesce(fetcher, 'f') as fetcher
       from cloudkitty_storage_states where ${condition} order by md5(id::text) limit ${count}`,
    );
    expect(rows).toHaveLength(count);
    return unitParameters(rows);
  }

  const literal = (texts: string[]) => `'{${texts.map((text) => `"${text}"`).join(',')}}'`;
  /** How it is planned for whatever values may come, and for these. */
  async function plansOf(name: string, columns: string[][]) {
    const plans: Plan[] = [];
    for (const mode of ['force_generic_plan', 'force_custom_plan']) {
      await client.query(`set plan_cache_mode = ${mode}`);
      await client.query(`prepare looked as ${statements.get(name)!}`);
      plans.push(await planOf(client, { text: `execute looked (${columns.map(literal).join(', ')})` }));
      await client.query('deallocate looked; reset plan_cache_mode');
    }
    return plans;
  }

  const namesOf = [ofMany, lock.name, probe.name, look.name];

  test.each(namesOf.flatMap((name) => [1, 500].map((count) => ({ name, count }))))(
    '$name looks at the rows of its $count units, however it is planned',
    async ({ name, count }) => {
      for (const plan of await plansOf(name, await unitsOf(count))) {
        expect(plan.scans).not.toContain('Seq Scan');
        expect(plan.visited).toBeLessThanOrEqual(4 * count);
      }
    },
  );

  test.each([2, 500])('rows of their own are all that is read for %i units that have one', async (count) => {
    for (const plan of await plansOf(ofMany, await unitsOf(count, 'collector is not null', 'identifier')))
      expect(plan.visited).toBe(count);
  });

  test('legacy rows are looked for only where a unit has no row of its own', async () => {
    const columns = await unitsOf(500, 'collector is not null', 'identifier');
    const [scopeIds] = columns as [string[]];
    await client.query('begin');
    await client.query(
      `insert into cloudkitty_storage_states (identifier, scope_key, collector, fetcher, last_processed_timestamp)
       select $1, 'many', n::text, 'many', '2026-01-01' from generate_series(1, 1000) n`,
      [scopeIds[0]],
    );
    scopeIds[1] = 'nobody has this';
    for (const plan of await plansOf(ofMany, columns)) expect(plan.visited).toBeLessThanOrEqual(500);
    await client.query('rollback');
  });

  test.each([
    [1, false],
    [256, false],
    [1_000, true],
  ])(
    `${advancePlain.name} looks at the rows of its %i units, however it is planned (as one whole: %s)`,
    async (count, isWhole) => {
      const of = (text: string) => literal(Array.from({ length: count }, () => text));
      const units = (await unitsOf(count)).map(literal);
      const given = [...units, of('2026-08-01'), 'null', of('a test'), of('a request'), isWhole];
      const parameters = given.join(', ');
      for (const mode of ['force_generic_plan', 'force_custom_plan']) {
        await client.query(`begin; set local plan_cache_mode = ${mode}`);
        await client.query(`prepare advanced as ${advancePlain.text}`);
        const plan = await planOf(client, { text: `execute advanced (${parameters})` });
        await client.query('rollback; deallocate advanced');
        expect(plan.scans).not.toContain('Seq Scan');
        expect(plan.visited).toBeLessThanOrEqual(4 * count);
      }
    },
  );

  test.each([ofOne, advancePlainOne.name])(
    '%s looks at the rows of its unit, however it is planned',
    async (name) => {
      for (const values of await given(name, 20)) {
        for (const mode of ['force_generic_plan', 'force_custom_plan']) {
          await client.query(`begin; set local plan_cache_mode = ${mode}`);
          await client.query(`prepare looked as ${statements.get(name)!}`);
          const plan = await planOf(client, { text: `execute looked (${values.map(sql).join(', ')})` });
          await client.query('rollback; deallocate looked');
          expect(plan.scans).not.toContain('Seq Scan');
          expect(plan.visited).toBeLessThanOrEqual(4);
        }
      }
    },
  );

  const sql = (value: unknown) => (value === null ? 'null' : pg.escapeLiteral(value as string));

  /** Values of a statement, so many times. */
  async function given(name: string, count: number): Promise<unknown[][]> {
    if (name === advancePlain.name)
      return [[...(await unitsOf(1)), ['2020-01-01'], [null], ['a test'], ['a request'], false]];
    if (namesOf.includes(name)) return [await unitsOf(1)];
    const columns = await unitsOf(count);
    const units = columns[0]!.map((_, place) => columns.map((column) => column[place]));
    if (name === ofOne) return units;
    return units.map((values) => [...values, '2026-08-01', null, 'a test', 'a request']);
  }

  test.each([...statements.keys(), ofMany, ofOne])('%s is planned once, not each time', async (name) => {
    const [values = []] = await given(name, 1);
    for (let times = 0; times < 12; times++)
      await client.query({ name, text: statements.get(name)!, values });
    const { rows } = await client.query(
      'select generic_plans::int from pg_prepared_statements where name = $1',
      [name],
    );
    expect(rows).toEqual([{ generic_plans: 7 }]); // PostgreSQL tries five others first
  });
});
