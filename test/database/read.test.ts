import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDatabase, type Database } from '../../src/database/database.js';
import { readTimeoutMillisOf } from '../../src/database/deadlines.js';
import { PreparedStatements } from '../../src/database/prepared-statements.js';
import { read, readAhead, readInOrder, readInOrderPrepared, readTexts } from '../../src/database/read.js';
import { Unavailable } from '../../src/fault.js';
import { createLog } from '../../src/log.js';
import { ScopeStateEntity } from '../../src/scope-state/scope-state.entity.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let database: TestDatabase;
let server: Database;
let command: Database;

beforeAll(async () => {
  database = await createTestDatabase({ empty: true });
  const options = {
    url: database.url,
    entities: [ScopeStateEntity],
    migrationsFolder: join(process.cwd(), 'dist/migrations'),
    log: createLog('silent'),
  };
  server = await openDatabase({ ...options, readTimeoutMillis: 500 });
  command = await openDatabase({ ...options, patient: true });
});

afterAll(async () => {
  await server.close();
  await command.close();
  await database.drop();
});

const sleep = 'select pg_backend_pid() as pid, pg_sleep($1)';

test('a read of a server’s that takes too long is ended, and its session goes on', async () => {
  await read(server.pool, 'select $1::int', [1]);
  await expect(read(server.pool, sleep, [30])).rejects.toThrow(Unavailable);
  await expect(read(server.pool, 'select 1 / $1::int', [0])).rejects.toThrow('division by zero');
  expect(await read(server.pool, 'select $1::text as text', ['a'])).toEqual([{ text: 'a' }]);
  expect(server.pool.totalCount).toBe(1);
});

test('nothing of it stays in the session, which may be a pooler’s', async () => {
  await read(server.pool, 'select $1::int', [1]);
  const { rows } = await server.pool.query('show statement_timeout');
  expect(rows).toEqual([{ statement_timeout: '0' }]);
});

test('settings hold for the one read, and for no statement that is on its way behind it', async () => {
  const shown = `select current_setting('enable_bitmapscan') as bitmap, current_setting('statement_timeout') as timeout`;
  const session = await server.pool.connect();
  const bounded = readInOrder(session, shown, []);
  const other = session.query(shown);
  expect(await bounded).toEqual([{ bitmap: 'off', timeout: '0' }]);
  expect((await other).rows).toEqual([{ bitmap: 'on', timeout: '0' }]);
  session.release();
  expect(await readInOrder(server.pool, shown, [])).toEqual([{ bitmap: 'off', timeout: '500ms' }]);
  expect(await read(server.pool, shown, [])).toEqual([{ bitmap: 'on', timeout: '500ms' }]);
});

test('a server’s read can change nothing', async () => {
  await expect(read(server.pool, 'create table changed ()', [])).rejects.toThrow('the database takes no');
  await expect(
    read(server.pool, `select setval('cloudkitty_storage_states_id_seq', 9)`, []),
  ).rejects.toThrow();
});

test('texts are as the database wrote them, in their places', async () => {
  const text = `select 7::int, null, true, 'ü "\\,', $1::timestamp`;
  expect(await readTexts(server.pool, text, ['2026-01-02 03:04:05.6'])).toEqual([
    ['7', null, 't', 'ü "\\,', '2026-01-02 03:04:05.6'],
  ]);
  expect(await readTexts(server.pool, 'select 1 where false', [])).toEqual([]);
});

test('a read whose session has forgotten its statements, or whose plan answers another type, is done again', async () => {
  await server.pool.query('create table changing as select 1 as number');
  const statement = { name: 'changing', text: 'select number from changing', values: [] };
  const statements = new PreparedStatements();
  const look = () => readInOrderPrepared(server.pool, statement, statements);
  expect(await look()).toEqual([['1']]);
  await server.pool.query('alter table changing alter column number type text');
  for (let again = 0; again < 2; again++) expect(await look()).toEqual([['1']]);
  await server.pool.query('deallocate all');
  for (let again = 0; again < 2; again++) expect(await look()).toEqual([['1']]);
  expect(await read(server.pool, 'select 1 as one', [])).toEqual([{ one: 1 }]);
  expect(server.pool.totalCount).toBe(1);
});

test('a read of a command’s takes as long as it needs', async () => {
  expect(await read(command.pool, sleep, [1])).toHaveLength(1);
});

test('a read that nobody waits for any more ends soon, and none outlasts a statement’s own limit', () => {
  expect(readTimeoutMillisOf(1_000)).toBe(1_500);
  expect(readTimeoutMillisOf(3_600_000)).toBe(30_000);
});

test('reads wait for some of the connections, but not for ever; the others are for who is in a hurry', async () => {
  let done = 0;
  const reads = Array.from({ length: 25 }, () =>
    read(server.pool, sleep, [0.3]).finally(() => {
      done++;
    }),
  );
  const settled = Promise.allSettled(reads);
  for (let time = 0; time < 3; time++) {
    expect(await readAhead(server.pool, 'select 1 as one', [])).toEqual([{ one: 1 }]);
    const client = await server.pool.connect();
    expect((await client.query('select 2 as two')).rows).toEqual([{ two: 2 }]);
    client.release();
  }
  expect(done).toBe(0);
  expect(server.pool.waitingCount).toBe(0);
  expect(server.pool.totalCount - server.pool.idleCount).toBe(8);
  const results = await settled;
  const late = results.filter(({ status }) => status === 'rejected');
  expect(results.length - late.length).toBeGreaterThanOrEqual(8);
  expect(late.length).toBeGreaterThan(0);
  for (const result of late) {
    expect(result).toMatchObject({
      reason: expect.objectContaining({
        message: 'waited 1 seconds for the database; nothing was done',
      }) as unknown,
    });
  }
});
