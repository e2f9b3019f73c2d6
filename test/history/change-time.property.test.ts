import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { allUnits } from '../../src/caller/grant.rules.js';
import { ChangePageRepository } from '../../src/history/change-page.repository.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { scaled } from '../support/units.js';

let database: TestDatabase;
let pool: pg.Pool;
let pages: ChangePageRepository;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 1 });
  pages = new ChangePageRepository(pool);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

interface Entry {
  sequence: number;
  second: number;
}

const at = (second: number) => Temporal.Instant.from('2026-01-01T00:00:00Z').add({ seconds: second });

async function fill(entries: Entry[]): Promise<void> {
  await database.query('truncate scopestate_history');
  await database.query(
    `insert into scopestate_history (sequence, kind, state_id, identifier, last_processed_timestamp, active,
       scope_activation_toggle_date, version, recorded_at, actor)
     overriding system value
     select sequence, 'CREATED', 1, 'a', '2026-01-01', true, '2026-01-01', 1,
       timestamp '2026-01-01' + second * interval '1 second', 'somebody'
     from unnest($1::bigint[], $2::int[]) entry (sequence, second)`,
    [entries.map(({ sequence }) => sequence), entries.map(({ second }) => second)],
  );
}

/** Page after page, and what each says of its neighbours. */
async function pagesOf(filter: object, size: number) {
  const found: { sequences: number[]; hasPreviousPage: boolean; hasNextPage: boolean }[] = [];
  for (let after: bigint | undefined; ;) {
    const page = await pages.page({ filter, grants: allUnits, size, after });
    const sequences = page.changes.map(({ sequence }) => Number(sequence));
    found.push({ sequences, hasPreviousPage: page.hasPreviousPage, hasNextPage: page.hasNextPage });
    if (!page.hasNextPage) return found;
    after = page.changes.at(-1)!.sequence;
  }
}

function expected(entries: Entry[], isWanted: (entry: Entry) => boolean, size: number) {
  const wanted = entries
    .filter(isWanted)
    .map(({ sequence }) => sequence)
    .sort((one, other) => other - one);
  const starts = Array.from({ length: Math.max(1, Math.ceil(wanted.length / size)) }, (_, n) => n * size);
  return starts.map((start) => ({
    sequences: wanted.slice(start, start + size),
    hasPreviousPage: start > 0,
    hasNextPage: start + size < wanted.length,
  }));
}

const entries = fc.uniqueArray(
  // Several blocks of numbers, with holes; the times in no order of theirs.
  fc.record({ sequence: fc.integer({ min: 1, max: 60_000 }), second: fc.integer({ min: 0, max: 9 }) }),
  { selector: ({ sequence }) => sequence, maxLength: 40 },
);
const second = fc.option(fc.integer({ min: 0, max: 10 }));

test('pages of a time have all its changes, and no others, whatever the order of times', async () => {
  await fc.assert(
    fc.asyncProperty(
      entries,
      second,
      second,
      fc.integer({ min: 1, max: 7 }),
      async (given, from, to, size) => {
        await fill(given);
        const filter = { since: from === null ? null : at(from), until: to === null ? null : at(to) };
        const isWanted = (entry: Entry) =>
          (from === null || entry.second >= from) && (to === null || entry.second < to);
        expect(await pagesOf(filter, size)).toEqual(expected(given, isWanted, size));
      },
    ),
    { numRuns: scaled(1_000) },
  );
});

test('a time is a time to the microsecond: since includes it, until does not', async () => {
  await fill([
    { sequence: 9_999, second: 1 },
    { sequence: 10_000, second: 1 },
  ]);
  await database.query(
    `update scopestate_history set recorded_at = recorded_at + interval '1 microsecond' where sequence = 10000`,
  );
  const moment = at(1).add({ microseconds: 1 });
  const found = async (filter: object) => (await pagesOf(filter, 10))[0]!.sequences;
  expect(await found({ since: moment })).toEqual([10_000]);
  expect(await found({ until: moment })).toEqual([9_999]);
  expect(await found({ since: moment, until: moment })).toEqual([]);
  expect(await found({ since: at(1), until: moment.add({ microseconds: 1 }) })).toEqual([10_000, 9_999]);
  expect(await found({ since: moment, until: at(0) })).toEqual([]);
});
