import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type pg from 'pg';
import type { Queryable } from '../../src/database/pool.js';
import { FeedRepository } from '../../src/live/feed.repository.js';
import { highestSequence } from '../../src/live/sequence-order.rules.js';
import { planOf, setsOnly } from '../support/plans.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const changes = 10_000;

let database: TestDatabase;
let client: pg.Client;
let visited: number;
let cost: number;
let queryable: Queryable;
const repository = new FeedRepository();

beforeAll(async () => {
  database = await createTestDatabase();
  client = await database.connect();
  // Statistics as they are right after one transaction of many changes: there are none of them.
  await client.query('alter table scopestate_history set (autovacuum_enabled = off)');
  await client.query(
    `insert into cloudkitty_storage_states (identifier, last_processed_timestamp)
     select n::text, '2026-01-01' from generate_series(1, $1::int) n`,
    [changes],
  );
  let before: Promise<unknown> = Promise.resolve();
  const explain = async (sent: pg.Query & Parameters<typeof planOf>[1]) => {
    await before;
    if (!setsOnly(sent)) ({ visited, cost } = await planOf(client, sent));
    client.query(sent);
  };
  queryable = {
    query: (sent: Parameters<typeof explain>[0]) => (before = explain(sent)),
  } as unknown as Queryable;
});
afterAll(() => database.drop());

test('what a page visits grows with the page, not with what comes after it', async () => {
  const page = (await repository.between(queryable, 10n, BigInt(changes), 100))!;
  expect(page.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 100 }, (_, n) => BigInt(n + 11)));
  expect(visited).toBeLessThanOrEqual(101); // and where the history starts
});

test('so it does where the feed reads on, in gaps and beyond all', async () => {
  const ranges = [
    { from: 3n, to: 3n },
    { from: 10n, to: 2_000n },
    { from: 2_100n, to: highestSequence },
  ];
  const read = await repository.inRanges(queryable, ranges, 500);
  expect(read.map(({ sequence }) => sequence)).toEqual([
    3n,
    ...Array.from({ length: 499 }, (_, n) => BigInt(n + 10)),
  ]);
  // A range gives so many at most; all that they give is sorted.
  expect(visited).toBeLessThanOrEqual(3 * 500);
});

test('a page is too cheap to be compiled, where PostgreSQL knows nothing of the table that has one row', async () => {
  await client.query(
    `update pg_class set relpages = 0, reltuples = -1 where oid = 'scopestate_history_start'::regclass`,
  );
  await repository.between(queryable, 10n, BigInt(changes), 100);
  expect(cost).toBeLessThan(100); // so often as it expects rows there, and more in a long history; jit_above_cost is 100,000
});

test('changes of another PostgreSQL, whose transactions are still to come here, are none that were late', async () => {
  const start = await repository.start(client);
  await client.query(
    `insert into scopestate_history (transaction, kind, state_id, identifier, last_processed_timestamp, active,
       scope_activation_toggle_date, version, recorded_at, actor)
     select pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1000000, kind, state_id, identifier, last_processed_timestamp,
       active, scope_activation_toggle_date, version, recorded_at, actor
     from scopestate_history limit 1`,
  );
  const { newest } = await repository.extent(client);
  expect(newest).toBe(start.newest + 1n);
  expect(await repository.late(client, { ...start, newest }, 0n, 10)).toEqual([]);
});

test('which PostgreSQL it is, and on which course, stays the same while it does', async () => {
  const course = await repository.course(client);
  expect(course).toMatch(/^\d{10,} [0-9A-F]{8}$/);
  expect(await repository.course(client)).toBe(course);
});
