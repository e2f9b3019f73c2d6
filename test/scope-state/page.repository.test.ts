import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { openDatabase, type Database } from '../../src/database/database.js';
import { createLog } from '../../src/log.js';
import { PageRepository } from '../../src/scope-state/page.repository.js';
import type { Order } from '../../src/scope-state/position.rules.js';
import { ScopeStateEntity } from '../../src/scope-state/scope-state.entity.js';
import { plainPage } from '../support/pages.js';
import { NotingPool } from '../support/plans.js';
import { createTestDatabase, postgresMajors, type TestDatabase } from '../support/test-database.js';
import { unit } from '../support/units.js';

describe.each(postgresMajors)('on PostgreSQL %i', (major) => {
  let database: TestDatabase;
  let opened: Database;

  beforeAll(async () => {
    database = await createTestDatabase({ major });
    opened = await openDatabase({
      url: database.url,
      entities: [ScopeStateEntity],
      migrationsFolder: join(process.cwd(), 'dist/migrations'),
      log: createLog('silent'),
    });
  });

  afterAll(async () => {
    await opened.close();
    await database.drop();
  });

  test.each<Order>([
    { field: 'SCOPE_ID', direction: 'ASC' },
    { field: 'SCOPE_ID', direction: 'DESC' },
    { field: 'LAST_PROCESSED_TIMESTAMP', direction: 'ASC' },
    { field: 'LAST_PROCESSED_TIMESTAMP', direction: 'DESC' },
  ])('pages by $field $direction are the same both ways, and know their neighbours', async (order) => {
    const prefix = unit().scopeId;
    for (let n = 0; n < 17; n++) {
      await database.query(
        `insert into cloudkitty_storage_states (identifier, scope_key, collector, fetcher, last_processed_timestamp)
         values ($1, 'project_id', $2, 'keystone', timestamp '2026-01-01' + $3::int * interval '1 hour')`,
        [`${prefix}${n % 5}`, `${n}`, n % 3],
      );
    }
    const key = order.field === 'SCOPE_ID' ? 'identifier' : 'last_processed_timestamp';
    const rows = await database.query<{ id: number }>(
      `select id from cloudkitty_storage_states where starts_with(identifier, $1)
       order by ${key} ${order.direction}, id ${order.direction}`,
      [prefix],
    );
    for (const backward of [false, true]) {
      expect(await allPages(order, { scopeIdPrefix: prefix }, backward)).toEqual(rows.map(({ id }) => id));
    }
  });

  test('a page whose plan is gone, as behind a pooler that knows no statements, is asked for again', async () => {
    const pages = new PageRepository(opened.pool);
    const ids = async () => (await pages.page({ ...plainPage, size: 2 })).states.map(({ id }) => id);
    const before = await ids();
    await opened.pool.query('deallocate all');
    expect(await ids()).toEqual(before);
    expect(await ids()).toEqual(before);
  });

  test('who asks for pages of each size fills no session with plans', async () => {
    const noting = new NotingPool(opened.pool);
    const pages = new PageRepository(noting.pool);
    for (const size of [...Array.from({ length: 40 }, (_, n) => n + 1), 100]) {
      await pages.page({ ...plainPage, size });
    }
    const named = noting.statements.map(({ name }) => name !== undefined);
    expect(named).toEqual([...Array<boolean>(32).fill(true), ...Array<boolean>(8).fill(false), true]);
  });

  test('times that were not read are not made up', async () => {
    const pages = new PageRepository(opened.pool);
    const { states } = await pages.page({ ...plainPage, size: 1, timesOfChanges: false });
    expect(states[0]!.lastProcessedTimestamp).toBeInstanceOf(Temporal.Instant);
    for (const time of ['updatedAt', 'lastAdvancedAt', 'scopeActivationToggleDate'] as const) {
      expect(() => states[0]![time]).toThrow('were not read');
    }
  });

  const strange = '\u0001';
  const forged = ['a', 'k', 'c', 'f'].join(strange);

  test.each<[string, (string | null)[][], boolean]>([
    ['nothing strange', [[' , "\\', '\u0002', '\n', '𝒳ü']], false],
    ['a scope id with what stands between texts', [[forged, 'k', 'c', 'f']], true],
    ['a scope key with it', [['a', forged, 'c', 'f']], true],
    ['a collector with it', [['a', 'k', strange, 'f']], true],
    ['a fetcher with it', [['a', 'k', 'c', `f${strange}`]], true],
    ['all of them with it', [[forged, forged, forged, forged]], true],
    ['a legacy row', [['a', null, null, null]], false],
    [
      'texts that are null, and texts that are empty',
      [
        ['a', '', null, ''],
        ['b', null, '', 'f'],
        ['c', '', '', null],
        ['d', null, null, 'f'],
      ],
      false,
    ],
  ])('rows of other writers are answered as they are: %s', async (_, texts, askedTwice) => {
    const prefix = unit().scopeId;
    const given = [['', 'k', 'c', 'f'], ...texts, ['z', 'k', 'c', 'f']];
    const ids: number[] = [];
    for (const [place, [scopeId, ...others]] of given.entries()) {
      const [row] = await database.query<{ id: number }>(
        `insert into cloudkitty_storage_states
           (identifier, scope_key, collector, fetcher, last_processed_timestamp, active, last_advanced_at)
         values ($1, $2, $3, $4, timestamp '1970-01-01 00:00:00.000001' + $5::int * interval '1 hour', $6,
           case when $6 then timezone('utc', now()) end)
         returning id`,
        [`${prefix}${scopeId}`, ...others, place, place % 5 !== 0],
      );
      ids.push(row!.id);
    }
    const noting = new NotingPool(opened.pool);
    const pages = new PageRepository(noting.pool);
    const orders = (['SCOPE_ID', 'LAST_PROCESSED_TIMESTAMP'] as const).map((field): Order => ({
      field,
      direction: 'ASC',
    }));
    for (const order of orders) {
      for (const timesOfChanges of [false, true]) {
        const filter = { scopeIdPrefix: prefix };
        const { states } = await pages.page({ ...plainPage, filter, order, timesOfChanges });
        const byId = states.toSorted((state, other) => state.id - other.id);
        expect(
          byId.map(
            ({ id, scopeId, scopeKey, collector, fetcher, lastProcessedTimestamp, active, version }) => [
              id,
              [scopeId, scopeKey, collector, fetcher],
              lastProcessedTimestamp.epochNanoseconds,
              active,
              version,
            ],
          ),
        ).toEqual(
          given.map(([scopeId, ...others], place) => [
            ids[place],
            [`${prefix}${scopeId}`, ...others],
            1_000n + BigInt(place) * 3_600_000_000_000n,
            place % 5 !== 0,
            1,
          ]),
        );
        if (timesOfChanges) {
          const told = byId.map(({ lastAdvancedAt, updatedAt, scopeActivationToggleDate }) => [
            lastAdvancedAt !== null,
            updatedAt.epochNanoseconds >= scopeActivationToggleDate.epochNanoseconds,
          ]);
          expect(told).toEqual(given.map((_, place) => [place % 5 !== 0, true]));
        }
      }
    }
    expect(noting.statements).toHaveLength(askedTwice ? 8 : 4);
  });

  async function allPages(order: Order, filter: { scopeIdPrefix: string }, backward: boolean) {
    const pages = new PageRepository(opened.pool);
    const found: number[] = [];
    let edge: { key: string | Temporal.Instant; id: number } | undefined;
    for (;;) {
      const place = { after: backward ? undefined : edge, before: backward ? edge : undefined };
      const page = await pages.page({ ...plainPage, filter, order, size: 4, backward, ...place });
      expect(backward ? page.hasNextPage : page.hasPreviousPage).toBe(edge !== undefined);
      const ids = page.states.map(({ id }) => id);
      found.splice(backward ? 0 : found.length, 0, ...ids);
      const last = backward ? page.states[0]! : page.states.at(-1)!;
      edge = { key: order.field === 'SCOPE_ID' ? last.scopeId : last.lastProcessedTimestamp, id: last.id };
      if (!(backward ? page.hasPreviousPage : page.hasNextPage)) return found;
    }
  }
});
