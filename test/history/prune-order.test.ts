import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { PruneRepository } from '../../src/history/prune.repository.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const retention = Temporal.Duration.from('PT24H');

let database: TestDatabase;
let pool: pg.Pool;
let repository: PruneRepository;

beforeEach(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url });
  pool.on('error', () => {}); // the database is dropped while its last connections close
  repository = new PruneRepository(pool);
});
afterEach(async () => {
  await pool.end();
  await database.drop();
});

/** Entries of other programs, all of them old. */
async function entries(count: number): Promise<void> {
  await database.query(
    `insert into cloudkitty_storage_states (identifier, last_processed_timestamp)
     select n::text, '2026-01-01' from generate_series(1, $1::int) n`,
    [count],
  );
  await database.query(`update scopestate_history set recorded_at = recorded_at - interval '2 days'`);
}

const start = async () =>
  (await database.query<{ sequence: string }>('select sequence from scopestate_history_start'))[0]!.sequence;

test('a dry run counts what a run would take: not what a younger entry keeps', async () => {
  await entries(30);
  await database.query('update scopestate_history set recorded_at = now() where sequence = 11');
  const { entries: counted, until } = await repository.prunable(retention);
  const [youngest] = await database.query<{ micros: string }>(
    `select (extract(epoch from max(recorded_at)) * 1000000)::bigint as micros from scopestate_history where sequence <= 10`,
  );
  expect({ counted, until: until!.epochNanoseconds / 1_000n }).toEqual({
    counted: 10,
    until: BigInt(youngest!.micros),
  });
  expect((await repository.pruneBatch(retention)).pruned).toBe(10);
});

test('an entry that becomes visible late is pruned as well, and the history begins no earlier for it', async () => {
  await entries(20);
  // As a transaction leaves it that was open for longer than the retention.
  const late = await database.query('delete from scopestate_history where sequence = 5 returning *');
  await repository.pruneBatch(retention);
  expect(await start()).toBe('20');
  const columns = Object.keys(late[0]!);
  await database.query(
    `insert into scopestate_history (${columns.join(', ')}) overriding system value
     select ${columns.join(', ')} from jsonb_populate_record(null::scopestate_history, $1::jsonb)`,
    [JSON.stringify(late[0])],
  );
  expect((await repository.pruneBatch(retention)).pruned).toBe(1);
  expect(await start()).toBe('20');
});

test('a batch goes on where the one before it has ended, and does not pass by what that has taken', async () => {
  await entries(30);
  expect(await repository.pruneBatch(retention, 10n)).toEqual({ pruned: 20, upTo: 30n, isLast: true });
  expect(await repository.pruneBatch(retention)).toEqual({ pruned: 10, upTo: 10n, isLast: true });
  expect(await start()).toBe('30');
});
