import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { allUnits } from '../../src/caller/grant.rules.js';
import type { ChangeFilter } from '../../src/history/change-filter.rules.js';
import { ChangePageRepository } from '../../src/history/change-page.repository.js';
import { days, fillWithChanges, rareOnceIn } from '../support/many-changes.js';
import { NotingPool } from '../support/plans.js';
import { createTestDatabase, postgresMajors, type TestDatabase } from '../support/test-database.js';
import { scaled } from '../support/units.js';

const changes = scaled(1_000_000, 100_000);
const rare = changes / rareOnceIn;
const size = 100;
/** Of a time, the blocks at its two ends hold others, too; and a place is looked for in one more. */
const block = 10_000;

const ago = (share: number) => Temporal.Now.instant().subtract({ hours: Math.round(share * days * 24) });

/** What each looks through at most. */
const filters: [string, ChangeFilter, number][] = [
  ['none', {}, 5 * size],
  ['a common actor', { actors: ['collector 1', 'nobody'] }, 10 * size],
  ['a rare actor', { actors: ['alice'] }, 3 * rare + block],
  ['a rare actor of some kinds', { actors: ['alice'], kinds: ['RESET', 'DELETED'] }, 3 * rare + block],
  ['an actor that there is not', { actors: ['nobody'] }, size],
  ['a common collector', { collectors: ['gnocchi'] }, 10 * size],
  ['a rare collector', { collectors: ['rare'] }, 3 * rare + block],
  ['a collector that there is not', { collectors: ['none'] }, size],
  ['rare kinds', { kinds: ['RESET', 'DELETED'] }, (3 * changes) / 1_000],
  ['until midway', { until: ago(0.5) }, 2 * block],
  ['until far back', { until: ago(0.99) }, 2 * block],
  ['until before all', { until: ago(2) }, size],
  ['since midway', { since: ago(0.5) }, 2 * block],
  ['since a day', { since: ago(1 / days) }, 2 * block],
  ['a day midway', { since: ago(0.5), until: ago(0.5 - 1 / days) }, 3 * block],
  ['a common actor until midway', { actors: ['collector 1'], until: ago(0.5) }, 3 * block],
  ['a rare actor until midway', { actors: ['alice'], until: ago(0.5) }, 3 * block],
  ['a rare collector until midway', { collectors: ['rare'], until: ago(0.5) }, 3 * block],
  ['rare kinds until midway', { kinds: ['RESET'], until: ago(0.5) }, 2 * block],
];

describe.each(postgresMajors)(`on PostgreSQL %i, with ${changes} changes,`, (major) => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let client: pg.Client;
  let noting: NotingPool;
  let pages: ChangePageRepository;

  beforeAll(async () => {
    database = await createTestDatabase({ major });
    await fillWithChanges(database, changes);
    pool = new pg.Pool({ connectionString: database.url, max: 1 });
    client = await database.connect();
    noting = new NotingPool(pool);
    pages = new ChangePageRepository(noting.pool);
  }, 300_000);
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  const pageOf = async (filter: ChangeFilter, after?: bigint, stateId?: number) => {
    const wanted = { filter, grants: allUnits, size, after };
    const [page] =
      stateId === undefined ? [await pages.page(wanted)] : await pages.pagesOfStates([stateId], wanted);
    return { page: page!, plans: await noting.plansOfNew(client) };
  };

  test.each(filters)('a page of the filter %s looks through what it shows', async (_, filter, most) => {
    const { page } = await pageOf(filter);
    for (const after of [undefined, page.changes.at(-1)?.sequence, BigInt(changes) / 2n]) {
      const { plans } = await pageOf(filter, after);
      for (const plan of plans) {
        expect(plan).toMatchObject({ scans: expect.not.arrayContaining(['Seq Scan']) as unknown });
      }
      expect(plans.reduce((sum, { visited }) => sum + visited, 0)).toBeLessThanOrEqual(most);
    }
  });

  test('a scope or a state needs no more of a long history than of a short one', async () => {
    const [{ identifier }] = (await database.query<{ identifier: string }>(
      'select identifier from cloudkitty_storage_states where id = 77',
    )) as [{ identifier: string }];
    for (const more of [{}, { until: ago(0.5) }, { since: ago(0.5) }]) {
      for (const { plans } of [
        await pageOf({ scopeIds: [identifier], ...more }),
        await pageOf(more, undefined, 77),
        await pageOf(more, BigInt(changes) / 2n, 77),
      ]) {
        expect(plans).toHaveLength(1);
        expect(plans[0]!.visited).toBeLessThan(100);
      }
    }
  });

  test('pages of many states are one statement, which looks through what they show, and each is as if it were alone', async () => {
    const ids = Array.from({ length: 500 }, (_, place) => 1 + ((place * 7) % 600));
    for (const after of [undefined, BigInt(changes) / 2n]) {
      const wanted = { filter: {}, grants: allUnits, size: 3, after };
      const found = await pages.pagesOfStates(ids, wanted);
      const plans = await noting.plansOfNew(client);
      expect(plans).toHaveLength(1);
      expect(plans[0]!.visited).toBeLessThanOrEqual(ids.length * (1 + 4 + (after ? 1 : 0)));
      const shown = found.map(({ changes: shownOf }) => shownOf.map(({ sequence }) => String(sequence)));
      const rows = await database.query<{ sequences: string[] }>(
        `select array(
           select h.sequence::text from scopestate_history h
           where h.state_id = asked.id and h.sequence < coalesce($2::bigint, 9223372036854775807)
           order by h.sequence desc limit 3
         ) as sequences
         from unnest($1::int[]) with ordinality asked (id, place) order by place`,
        [ids, after === undefined ? null : String(after)],
      );
      expect(shown).toEqual(rows.map(({ sequences }) => sequences));
      expect(new Set(found.map(({ hasPreviousPage }) => hasPreviousPage))).toEqual(
        new Set([after !== undefined]),
      );
    }
  });
});
