import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { allUnits, type Grants } from '../../src/caller/grant.rules.js';
import { ChangePageRepository, type ChangePageWanted } from '../../src/history/change-page.repository.js';
import { ChangesOfStates } from '../../src/history/changes-of-states.repository.js';
import { fillWithChanges } from '../support/many-changes.js';
import { NotingPool } from '../support/plans.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let database: TestDatabase;
let pool: pg.Pool;
let noting: NotingPool;
let pages: ChangePageRepository;
let changes: ChangesOfStates;

beforeAll(async () => {
  database = await createTestDatabase();
  await fillWithChanges(database, 6_000); // of 300 states
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
  noting = new NotingPool(pool);
  pages = new ChangePageRepository(noting.pool);
  changes = new ChangesOfStates(pages);
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

const wanted = (size: number, grants: Grants = allUnits): ChangePageWanted => ({
  filter: {},
  grants,
  size,
  after: undefined,
});
const ids = Array.from({ length: 300 }, (_, place) => place + 1);

test('pages that are asked for together, and alike, are few statements, of few rows each', async () => {
  const asked = ids.flatMap((id) => [1, 5].map((size) => ({ id, size })));
  const found = await Promise.all(asked.map(({ id, size }) => changes.page(id, wanted(size))));
  const statements = noting.statements.splice(0);
  expect(statements.length).toBeLessThanOrEqual(8);
  for (const { values } of statements) {
    const [states, size] = [values!.find(Array.isArray) as unknown[], values!.at(-1) as number];
    expect(states.length * size).toBeLessThanOrEqual(2_000);
  }
  for (const [place, { id, size }] of asked.entries()) {
    expect(found[place]).toEqual((await pages.pagesOfStates([id], wanted(size)))[0]);
    expect(found[place]!.changes.every(({ stateId }) => stateId === id)).toBe(true);
  }
});

test('callers with different grants are told of their own, however together they ask', async () => {
  const ofCollector = (collector: string): Grants => [{ ...allUnits[0]!, collector }];
  const [gnocchi, prometheus] = await Promise.all(
    ['gnocchi', 'prometheus'].map((collector) =>
      Promise.all(ids.map((id) => changes.page(id, wanted(3, ofCollector(collector))))),
    ),
  );
  for (const [place, id] of ids.entries()) {
    const shown = [gnocchi![place]!, prometheus![place]!].map(({ changes: own }) => own.length);
    expect(shown).toEqual(id % 10 < 6 ? [3, 0] : [0, 3]);
  }
});

test('what fails concerns those alone who are in its statement', async () => {
  const tooLarge = 2 ** 31;
  const [bad, good] = await Promise.allSettled([
    changes.page(tooLarge, wanted(1)),
    changes.page(7, wanted(2)),
  ]);
  expect(bad).toMatchObject({ status: 'rejected', reason: { code: '22003' } });
  expect(good).toMatchObject({ status: 'fulfilled', value: { changes: [{ stateId: 7 }, { stateId: 7 }] } });
});
