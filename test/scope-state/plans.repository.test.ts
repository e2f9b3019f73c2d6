import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import pg from 'pg';
import { allUnits } from '../../src/caller/grant.rules.js';
import { conditionOf, Parameters } from '../../src/scope-state/condition.sql.js';
import type { ScopeStateFilter } from '../../src/scope-state/filter.rules.js';
import { PageRepository } from '../../src/scope-state/page.repository.js';
import { positionOf, type Order, type Position } from '../../src/scope-state/position.rules.js';
import { rowColumns, table, toScopeState, type ScopeStateRow } from '../../src/scope-state/row.sql.js';
import { plainPage } from '../support/pages.js';
import { fillWithStates } from '../support/many-states.js';
import { NotingPool, type Plan } from '../support/plans.js';
import { createTestDatabase, postgresMajors, type TestDatabase } from '../support/test-database.js';
import { scaled } from '../support/units.js';

const states = scaled(1_000_000, 100_000);
const size = 100;
/** By timestamp, 10,001 are looked for to tell few from many: that comes by more, where not all of them fit. */
const probed = 30_000;
const orders: Order[] = (['SCOPE_ID', 'LAST_PROCESSED_TIMESTAMP'] as const).flatMap((field) =>
  (['ASC', 'DESC'] as const).map((direction) => ({ field, direction })),
);
const longAgo = Temporal.Instant.from('2026-05-01T00:00:00Z');
const today = Temporal.Instant.from('2026-06-20T00:00:00Z');

/** Each with the index that it is there for: the plans below are what justifies it. */
const selective: [string, ScopeStateFilter, RegExp][] = [
  ['scopeIds', { scopeIds: ids(50) }, /uq_cloudkitty_storage_states_identifier/],
  [
    'scopeIds, one in a thousand',
    { scopeIds: ids(states / 1_000) },
    /uq_cloudkitty_storage_states_identifier/,
  ],
  ['scopeIdPrefix', { scopeIdPrefix: 'abc' }, /uq_cloudkitty_storage_states_identifier/],
  ['scopeKeys', { scopeKeys: ['cluster', 'none'] }, /states_of_collector/],
  ['collectors', { collectors: ['rare'] }, /states_of_collector/],
  ['collectors and fetchers', { collectors: ['rare'], fetchers: ['keystone'] }, /states_of_collector/],
  ['fetchers', { fetchers: ['source'] }, /states_of_collector/],
  ['active: false', { active: false }, /states_inactive/],
  ['legacy: true', { legacy: true }, /states_of_collector|uq_cloudkitty/],
  ['processedBefore', { processedBefore: longAgo }, /states_of_day/],
  [
    'processedBefore, of a common collector',
    { processedBefore: longAgo, collectors: ['gnocchi'] },
    /states_of_day/,
  ],
  ['processedSince', { processedSince: Temporal.Instant.from('2026-06-21T00:00:00Z') }, /states_of_day/],
  [
    'of a few days',
    { processedSince: longAgo, processedBefore: longAgo.add({ hours: 72 }) },
    /states_of_day/,
  ],
];
const others: [string, ScopeStateFilter][] = [
  ['no filter', {}],
  ['a common collector', { collectors: ['gnocchi', 'none'] }],
  ['active: true', { active: true }],
  ['legacy: false', { legacy: false }],
  ['a short prefix', { scopeIdPrefix: 'a' }],
];

describe.each(postgresMajors)(`on PostgreSQL %i, with ${states} states,`, (major) => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let client: pg.Client;
  let noting: NotingPool;
  let pages: PageRepository;

  beforeAll(async () => {
    database = await createTestDatabase({ major });
    await fillWithStates(database, states);
    pool = new pg.Pool({ connectionString: database.url, max: 1 });
    client = await database.connect();
    noting = new NotingPool(pool);
    pages = new PageRepository(noting.pool);
  }, 300_000);
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  /** First page and last page, and from a place in the midst both ways. */
  async function plansOf(
    filter: ScopeStateFilter,
    order: Order,
    place: Position | undefined,
  ): Promise<Plan[]> {
    const plans: Plan[] = [];
    const look = async (more: object) => {
      await pages.page({ ...plainPage, filter, order, size, ...more });
      plans.push(await noting.planOfLast(client));
    };
    await look({});
    await look({ backward: true });
    if (place) {
      await look({ after: place });
      await look({ backward: true, before: place });
    }
    return plans;
  }

  /** Where a row of the filter stands, at this share of the way through them. */
  async function placeIn(
    filter: ScopeStateFilter,
    order: Order,
    share: number,
  ): Promise<Position | undefined> {
    const parameters = new Parameters();
    const condition = conditionOf(filter, parameters);
    const offset = Math.floor((await pages.count(filter, allUnits)) * share);
    const key = order.field === 'SCOPE_ID' ? 's.identifier' : 's.last_processed_timestamp';
    const [row] = await database.query<ScopeStateRow & Record<string, unknown>>(
      `select ${rowColumns('s')} from ${table} s where ${condition}
       order by ${key} ${order.direction}, s.id ${order.direction} offset ${offset} limit 1`,
      parameters.values,
    );
    return row && positionOf(toScopeState(row), order);
  }

  test.each(orders.filter(({ field }) => field === 'SCOPE_ID'))(
    'pages without a filter, $direction, keep a plan that is right for any place and size of the table',
    async (order) => {
      const middle = (await placeIn({}, order, 0.5))!;
      for (const more of [{}, { after: middle }, { backward: true }, { backward: true, before: middle }]) {
        await pages.page({ ...plainPage, order, size, ...more });
        const plan = await noting.keptPlanOfLast(client);
        expect(plan).toMatchObject({ scans: expect.not.arrayContaining(['Seq Scan']) as unknown });
        expect(plan.visited).toBeLessThan(3 * size + 10);
      }
    },
  );

  describe.each(selective)('the filter %s', (_, filter, index) => {
    test.each(orders)('is an index range by $field $direction', async (order) => {
      const matching = await pages.count(filter, allUnits);
      expect(matching).toBeLessThan(states / 50);
      const plans = await plansOf(filter, order, await placeIn(filter, order, 0.5));
      for (const plan of plans) {
        expect(plan).toMatchObject({ scans: expect.not.arrayContaining(['Seq Scan']) as unknown });
        // Each match at most three times (the page, and whether any stands before it), or those that a walk passes by.
        expect(plan.visited).toBeLessThan(3 * matching + states / 50);
      }
    });

    test('is counted from an index', async () => {
      await pages.count(filter, allUnits);
      const plan = await noting.planOfLast(client);
      expect(plan.scans).not.toContain('Seq Scan');
      expect(plan.indexes.join()).toMatch(index);
    });
  });

  describe.each(others)('%s', (_, filter) => {
    test.each(orders.filter(({ field }) => field === 'SCOPE_ID'))(
      'needs no more rows at the end than at the start, by $field $direction',
      async (order) => {
        for (const share of [0.5, 0.9999]) {
          for (const plan of await plansOf(filter, order, await placeIn(filter, order, share))) {
            expect(plan).toMatchObject({ scans: expect.not.arrayContaining(['Seq Scan']) as unknown });
            expect(plan.visited).toBeLessThan(20 * size);
          }
        }
      },
    );
  });

  /** Few are sorted as they are found, of many the days are walked, and of all nothing is looked for first. */
  describe.each<[string, ScopeStateFilter]>([
    ['few', { collectors: ['rare'] }],
    ['many', { collectors: ['gnocchi', 'none'] }],
    ['all', {}],
  ])('%s', (_, filter) => {
    test.each(orders)(
      'by $field $direction a page has the states that come next, in order',
      async (order) => {
        const place = (await placeIn(filter, order, 0.5))!;
        for (const backward of [false, true]) {
          const parameters = new Parameters();
          const condition = conditionOf(filter, parameters);
          const key = order.field === 'SCOPE_ID' ? 's.identifier' : 's.last_processed_timestamp';
          const isUp = (order.direction === 'ASC') !== backward;
          const rows = await database.query<{ id: number }>(
            `select s.id from ${table} s, ${table} place
           where place.id = ${place.id} and ${condition}
             and (${key}, s.id) ${isUp ? '>' : '<'} (${key.replace('s.', 'place.')}, place.id)
           order by ${key} ${isUp ? 'asc' : 'desc'}, s.id ${isUp ? 'asc' : 'desc'} limit ${size}`,
            parameters.values,
          );
          const expected = rows.map(({ id }) => id);
          expect(expected.length).toBeGreaterThan(size / 3);
          const beside = backward ? { before: place } : { after: place };
          const page = await pages.page({ ...plainPage, filter, order, size, backward, ...beside });
          expect(page.states.map(({ id }) => id)).toEqual(backward ? expected.toReversed() : expected);
        }
      },
    );
  });

  test('who is behind: the first page by timestamp stops at the day that fills it', async () => {
    const order = { field: 'LAST_PROCESSED_TIMESTAMP', direction: 'ASC' } as const;
    const behind = { processedBefore: today };
    for (const filter of [{}, behind, { ...behind, active: true }]) {
      const [first] = await plansOf(filter, order, undefined);
      expect(first!.visited).toBeLessThan(probed + states / 50);
    }
  });

  test('a page by timestamp in the midst of a day that has most states looks at each at most once', async () => {
    const order = { field: 'LAST_PROCESSED_TIMESTAMP', direction: 'ASC' } as const;
    for (const plan of await plansOf({}, order, await placeIn({}, order, 0.5))) {
      expect(plan.visited).toBeLessThan(probed + states + size);
    }
  });

  test('a place whose row has gone needs no second look through the day', async () => {
    const order = { field: 'LAST_PROCESSED_TIMESTAMP', direction: 'ASC' } as const;
    const { key } = (await placeIn({}, order, 0.5))!;
    const [, , after] = await plansOf({}, order, { key, id: 2_000_000_000 });
    expect(after!.visited).toBeLessThan(probed + states + size);
  });
});

/** Of states that are there. */
function ids(count: number): string[] {
  return Array.from({ length: count }, (_, n) =>
    createHash('md5')
      .update(`${n + 1}`)
      .digest('hex'),
  );
}
