import { once } from 'node:events';
import { PreparedStatements } from '../../src/database/prepared-statements.js';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { openDatabase, type Database } from '../../src/database/database.js';
import type { PoolClient } from '../../src/database/pool.js';
import { goesOn } from '../../src/database/transaction.js';
import { inTwoTrips } from '../../src/database/two-trips.js';
import { OutcomeUnknown, Unavailable } from '../../src/fault.js';
import { createLog } from '../../src/log.js';
import { ScopeStateEntity } from '../../src/scope-state/scope-state.entity.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let database: TestDatabase;
let opened: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.query('create table notes (text text primary key)');
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

const pid = { text: 'select pg_backend_pid() as pid' };
const note = (text: string) => ({ text: 'insert into notes values ($1)', values: [text] });
const isNoted = async (text: string) =>
  (await database.query('select from notes where text = $1', [text])).length === 1;

/** Writes the notes; `begun` is told the session's number before they go out. */
const noting = (texts: string[], begun: (pid: number) => void = () => undefined, looksAtMost?: number) =>
  inTwoTrips(opened.pool, {
    statements: new PreparedStatements(),
    looks: [pid],
    ...(looksAtMost !== undefined && { looksAtMost }),
    decide: ([found]) => {
      begun((found!.rows as { pid: number }[])[0]!.pid);
      return Promise.resolve({ writes: texts.map(note), settle: (written) => written.length });
    },
  });

/** Waits until the session of `begun` waits for the note that another transaction has not committed. */
async function whileContended(text: string, act: (pid: number, client: PoolClient) => Promise<unknown>) {
  const other = await database.connect();
  await other.query('begin');
  await other.query(note(text));
  const acquired = once(opened.pool, 'acquire') as Promise<[PoolClient]>;
  const begun = Promise.withResolvers<number>();
  const working = noting([`${text} first`, text], begun.resolve);
  const ended = working.catch((error: unknown) => error);
  const waiting = await begun.promise;
  const [client] = await acquired;
  const lockWaits = `select from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'`;
  while ((await database.query(lockWaits, [waiting])).length === 0);
  await act(waiting, client);
  const result = await ended;
  await other.query('rollback');
  return result;
}

test('what was written is committed when it answers', async () => {
  expect(await noting(['one', 'two'])).toBe(2);
  expect(await isNoted('two')).toBe(true);
});

test('a write that is refused undoes all, though the COMMIT was behind it, and the session stays good', async () => {
  const pids: number[] = [];
  const refused = noting(['undone', '\0', 'behind'], (session) => pids.push(session));
  await expect(refused).rejects.toMatchObject({ code: '22021' });
  expect([await isNoted('undone'), await isNoted('behind')]).toEqual([false, false]);
  await noting(['next'], (session) => pids.push(session));
  expect(pids[1]).toBe(pids[0]);
});

test('a write that was overtaken is decided anew, so often as is allowed', async () => {
  await noting(['taken']);
  let looks = 0;
  const working = noting(['with taken', 'taken'], () => looks++, 3);
  await expect(working).rejects.toBeInstanceOf(Unavailable);
  expect(looks).toBe(3);
  expect(await isNoted('with taken')).toBe(false);
});

test('a session that is ended during a write has done nothing', async () => {
  const ended = await whileContended('ended', (session) =>
    database.query('select pg_terminate_backend($1, 10000)', [session]),
  );
  expect(ended).toBeInstanceOf(Unavailable);
  expect(await isNoted('ended first')).toBe(false);
});

test('a connection that breaks while the writes and their COMMIT are on their way leaves the outcome unknown', async () => {
  const broken = await whileContended('broken', (_, client) => {
    (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
    return Promise.resolve();
  });
  expect(broken).toBeInstanceOf(OutcomeUnknown);
  expect(await noting(['goes on'])).toBe(1);
});

test('whether a commit that failed was none is told by the session that goes on behind it, not by words', async () => {
  const fault = (code: string) => Object.assign(new Error('of the disk'), { code });
  const session = (query: () => Promise<unknown>) => ({ query }) as unknown as PoolClient;
  const alive = session(() => Promise.resolve());
  const gone = session(() => Promise.reject(new Error('Connection terminated unexpectedly')));
  expect(await goesOn(alive, fault('58030'))).toBe(true);
  expect(await goesOn(gone, fault('58030'))).toBe(false); // a PANIC: what was logged comes back
  expect(await goesOn(alive, fault('57P01'))).toBe(false);
  const client = await opened.pool.connect();
  await client.query('begin');
  const failed = await client.query('select 1 / 0').catch((error: unknown) => error);
  expect(await goesOn(client, failed)).toBe(true);
  client.release();
});

test('a pooler that ends a session during a write leaves the outcome unknown: its server may read on', async () => {
  const pooled = await whileContended('pooled', async (_, client) => {
    const { connection } = client as unknown as {
      connection: { emit(...told: unknown[]): void; stream: Socket };
    };
    const told = { severity: 'FATAL', code: '08P01', message: 'query timeout', length: 0, name: 'error' };
    connection.emit('errorMessage', Object.assign(new Error(told.message), told));
    connection.stream.destroy();
    return Promise.resolve();
  });
  expect(pooled).toBeInstanceOf(OutcomeUnknown);
});
