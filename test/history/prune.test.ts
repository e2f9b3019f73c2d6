import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { runCommand } from '../support/command.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer } from '../support/test-server.js';
import { until } from '../support/until.js';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const run = (...words: string[]) => runCommand(words, { env: { DATABASE_URL: database.url } });

/** Entries by the trigger, as other programs make them; the first `old` of them 401 days ago. */
async function entries(count: number, old: number): Promise<void> {
  await database.query(
    `insert into cloudkitty_storage_states (identifier, last_processed_timestamp)
     select n::text, '2026-01-01' from generate_series(1, $1::int) n`,
    [count],
  );
  await database.query(
    `update scopestate_history set recorded_at = recorded_at - interval '401 days' where sequence <= $1::int`,
    [old],
  );
}

const left = async () =>
  (
    await database.query<{ left: string; start: string }>(
      `select (select count(*) from scopestate_history) as left, sequence as start from scopestate_history_start`,
    )
  )[0];

test('a dry run says how much is too old; a run takes just that, batch by batch', async () => {
  await entries(25_000, 21_000);
  expect(await run('history', 'prune', '--dry-run')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^21000 entries are older than P400D, the youngest of .*Nothing was pruned/),
  });
  expect(await left()).toEqual({ left: '25000', start: '0' });
  expect(await run('history', 'prune')).toMatchObject({
    code: 0,
    out: '21000 entries older than P400D pruned.\n',
  });
  expect(await left()).toEqual({ left: '4000', start: '21000' });
  expect(await run('history', 'prune')).toMatchObject({ out: '0 entries older than P400D pruned.\n' });
});

test('the retention is a setting', async () => {
  await entries(10, 10);
  const kept = await runCommand(['history', 'prune'], {
    env: { DATABASE_URL: database.url, SCOPESTATE_HISTORY_RETENTION: 'P402D' },
  });
  expect(kept).toMatchObject({ code: 0, out: '0 entries older than P402D pruned.\n' });
});

test('a younger entry keeps those behind it: the history has no hole', async () => {
  await entries(30, 30);
  await database.query(`update scopestate_history set recorded_at = now() where sequence = 11`);
  await run('history', 'prune');
  expect(await left()).toEqual({ left: '20', start: '10' });
});

test('a server prunes by itself, and a state as of a time before that is refused', async () => {
  await entries(10, 10);
  const server = await startServer({ DATABASE_URL: database.url });
  try {
    await until('the server has pruned', async () => (await left())?.left === '0');
    const { errors } = await server.ask(
      `query { scopeStateAsOf(
         unit: { scopeId: "1", scopeKey: "k", collector: "c", fetcher: "f" }, at: "2020-01-01T00:00:00Z"
       ) { id } }`,
    );
    expect(errors).toMatchObject([{ message: expect.stringContaining('where the history begins') }]);
  } finally {
    await server.stop();
  }
});

test('what was pruned is no part of as of: a state still is as its last change has left it', async () => {
  await entries(2, 2);
  await run('history', 'prune');
  await database.query(
    `update cloudkitty_storage_states set last_processed_timestamp = '2026-01-02' where identifier = '2'`,
  );
  const server = await startServer({ DATABASE_URL: database.url });
  try {
    const now = (
      await database.query<{ now: string }>(
        `select to_char(timezone('utc', clock_timestamp()), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`,
      )
    )[0]!.now;
    const data = await server.data(
      `query ($at: DateTime!, $one: CollectionUnitInput!, $two: CollectionUnitInput!) {
         one: scopeStateAsOf(unit: $one, at: $at) { lastProcessedTimestamp }
         two: scopeStateAsOf(unit: $two, at: $at) { lastProcessedTimestamp }
       }`,
      { at: now, one: unitOf('1'), two: unitOf('2') },
    );
    expect(data).toEqual({
      one: { lastProcessedTimestamp: '2026-01-01T00:00:00Z' },
      two: { lastProcessedTimestamp: '2026-01-02T00:00:00Z' },
    });
  } finally {
    await server.stop();
  }
});

const unitOf = (scopeId: string) => ({ scopeId, scopeKey: 'k', collector: 'c', fetcher: 'f' });
