import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import type { Pool } from '../../src/database/pool.js';
import { FeedRepository } from '../../src/live/feed.repository.js';
import { SettledPages } from '../../src/live/settled-pages.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { scaled } from '../support/units.js';

const changes = 1_500;

let database: TestDatabase;
let pool: pg.Pool;
let reads: number;
let underWay: number;
let mostAtOnce: number;
let pages: SettledPages;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.query(
    `insert into cloudkitty_storage_states (identifier, last_processed_timestamp)
     select n::text, '2026-01-01' from generate_series(1, $1::int) n`,
    [changes],
  );
  await database.query('delete from scopestate_history where sequence % 7 = 0'); // as if rolled back
  pool = new pg.Pool({ connectionString: database.url, max: 20, pipeline: true });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

beforeEach(() => {
  [reads, underWay, mostAtOnce] = [0, 0, 0];
  const counting = {
    totalCount: 0,
    connect: async () => {
      reads++;
      mostAtOnce = Math.max(mostAtOnce, ++underWay);
      const client = await pool.connect();
      return {
        query: (statement: pg.QueryConfig) => client.query(statement),
        release: () => {
          underWay--;
          client.release();
        },
      };
    },
  };
  pages = new SettledPages(counting as unknown as Pool, new FeedRepository());
});

/** What a subscriber gets that saw everything up to `after`. */
async function readAll(after: bigint): Promise<bigint[]> {
  const found: bigint[] = [];
  for (let place = after; place < changes;) {
    const page = (await pages.read(place, BigInt(changes)))!;
    expect(page.changes.length).toBeLessThanOrEqual(100);
    found.push(...page.changes.map(({ sequence }) => sequence).filter((sequence) => sequence > place));
    expect(page.upTo).toBeGreaterThan(place);
    place = page.upTo;
  }
  return found;
}

const expected = (after: bigint) =>
  Array.from({ length: changes }, (_, n) => BigInt(n + 1)).filter((n) => n % 7n !== 0n && n > after);

test('many that come back at once read few pages, few at a time, and each gets what it missed', async () => {
  const afters = Array.from({ length: scaled(1_000, 200) }, (_, n) => BigInt((n * 37) % 1_000));
  const found = await Promise.all(afters.map(readAll));
  afters.forEach((after, n) => expect(found[n]).toEqual(expected(after)));
  expect(mostAtOnce).toBeLessThanOrEqual(4);
  expect(reads).toBeLessThan(3 * 15);
});

test('one after the other they read for themselves what is kept no more', async () => {
  for (const after of [0n, 1_000n, 3n, 1_499n, 700n]) expect(await readAll(after)).toEqual(expected(after));
});

test('one that fails gives its place to the next', async () => {
  const fail = () => pages.inTurn(() => Promise.reject(new Error('no database')));
  const failed = await Promise.allSettled(Array.from({ length: 20 }, fail));
  expect(failed.every(({ status }) => status === 'rejected')).toBe(true);
  expect(await readAll(1_300n)).toEqual(expected(1_300n));
});

test('what was pruned is told, but not of what was read before', async () => {
  const page = await pages.read(100n, BigInt(changes));
  await database.query('update scopestate_history_start set sequence = 550');
  try {
    expect(await pages.read(150n, BigInt(changes))).toEqual(page);
    expect(await pages.read(499n, BigInt(changes))).toBeUndefined();
    // Its page would begin with what was pruned.
    expect(await pages.read(550n, BigInt(changes))).toMatchObject({ after: 550n });
    expect(await readAll(550n)).toEqual(expected(550n));
  } finally {
    await database.query('update scopestate_history_start set sequence = 0');
  }
});
