import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { openDatabase, type Database } from '../../src/database/database.js';
import { LookAgain } from '../../src/database/faults.js';
import type { PoolClient } from '../../src/database/pool.js';
import { inTransaction } from '../../src/database/transaction.js';
import { OutcomeUnknown, Unavailable } from '../../src/fault.js';
import { createLog } from '../../src/log.js';
import { ScopeStateEntity } from '../../src/scope-state/scope-state.entity.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer } from '../support/test-server.js';
import { unit } from '../support/units.js';

/** Cuts the next connection on which a COMMIT goes out: `before` the server sees it, or `after` it was done. */
type Cut = 'before' | 'after' | undefined;

let database: TestDatabase;
let proxy: Server;
let opened: Database;
let cut: Cut;
let cuts: number;
const sockets = new Set<Socket>();

beforeAll(async () => {
  database = await createTestDatabase();
  await database.query('create table notes (text text primary key)');
  const { hostname, port } = new URL(database.url);
  proxy = createServer((client) => relay(client, connect(Number(port), hostname)));
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  opened = await open(proxiedUrl());
});

afterAll(async () => {
  await opened.close();
  for (const socket of sockets) socket.destroy();
  proxy.close();
  await database.drop();
});

beforeEach(() => {
  cuts = 0;
});

afterEach(() => {
  cut = undefined;
});

function relay(client: Socket, server: Socket): void {
  let doomed = false;
  const breakBoth = () => {
    cuts++;
    client.destroy();
    server.destroy();
  };
  client.on('data', (chunk) => {
    const commits = chunk.includes('commit\0');
    if (commits && cut === 'before') return breakBoth();
    doomed ||= commits && cut === 'after';
    return server.write(chunk);
  });
  server.on('data', (chunk) => (doomed ? breakBoth() : client.write(chunk)));
  for (const [socket, other] of [
    [client, server],
    [server, client],
  ] as const) {
    sockets.add(socket);
    socket.on('error', () => other.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      other.end();
    });
  }
}

function proxiedUrl(): string {
  const url = new URL(database.url);
  url.port = String((proxy.address() as AddressInfo).port);
  return url.href;
}

const open = (url: string) =>
  openDatabase({
    url,
    entities: [ScopeStateEntity],
    migrationsFolder: join(process.cwd(), 'dist/migrations'),
    log: createLog('silent'),
  });

const note = (client: PoolClient, text: string) => client.query('insert into notes values ($1)', [text]);
const isNoted = async (text: string) =>
  (await database.query('select from notes where text = $1', [text])).length === 1;

async function pidOf(client: PoolClient): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]!.pid;
}

/** Ends a session and waits until it has gone. */
const terminate = (pid: number) => database.query('select pg_terminate_backend($1, 10000)', [pid]);

async function waitForLockWait(pid: number): Promise<void> {
  const waiting = `select from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'`;
  while ((await database.query(waiting, [pid])).length === 0);
}

describe('a connection that breaks while the COMMIT is on its way', () => {
  test.each([
    { when: 'before', done: false },
    { when: 'after', done: true },
  ] as const)('$when the server got it leaves the outcome unknown', async ({ when, done }) => {
    cut = when;
    const text = `cut ${when}`;
    const working = inTransaction(opened.pool, (client) => note(client, text));
    await expect(working).rejects.toBeInstanceOf(OutcomeUnknown);
    expect(cuts).toBe(1);
    expect(await isNoted(text)).toBe(done);
    cut = undefined;
    expect(await inTransaction(opened.pool, () => Promise.resolve('goes on'))).toBe('goes on');
  });

  test.each([
    { when: 'before', then: 'CREATED' },
    { when: 'after', then: 'UNCHANGED' },
  ] as const)('$when the server got it is OUTCOME_UNKNOWN; sent again: $then', async ({ when, then }) => {
    const server = await startServer({ DATABASE_URL: proxiedUrl() });
    const advance = () =>
      server.ask(
        `mutation ($input: AdvanceScopeStateInput!) { advanceScopeState(input: $input) { outcome } }`,
        {
          input: { unit: asked, lastProcessedTimestamp: '2026-01-01T00:00:00Z' },
        },
      );
    const asked = unit();
    try {
      cut = when;
      const broken = await advance();
      cut = undefined;
      expect(broken.data ?? null).toBeNull();
      expect(broken.errors).toMatchObject([{ extensions: { code: 'OUTCOME_UNKNOWN' } }]);
      expect(server.logLines.filter((line) => line.includes('"event":"outcome-unknown"'))).toHaveLength(1);
      expect(await advance()).toEqual({ data: { advanceScopeState: { outcome: then } } });
    } finally {
      expect(await server.stop()).toBe(0);
    }
  });

  test('because the session was ended just before is no success', async () => {
    const working = inTransaction(opened.pool, async (client) => {
      await note(client, 'ended before');
      await terminate(await pidOf(client));
      return 'done';
    });
    await expect(working).rejects.toBeInstanceOf(OutcomeUnknown);
    expect(await isNoted('ended before')).toBe(false);
  });
});

describe('a session that is ended during the work', () => {
  test('makes it unavailable, with nothing done', async () => {
    const working = inTransaction(opened.pool, async (client) => {
      await note(client, 'ended');
      await terminate(await pidOf(client));
      return client.query('select 1');
    });
    await expect(working).rejects.toBeInstanceOf(Unavailable);
    expect(await isNoted('ended')).toBe(false);
  });

  test('makes it unavailable while a statement waits for a lock', async () => {
    const other = await database.connect();
    await other.query(`begin; insert into notes values ('contended')`);
    const pid = Promise.withResolvers<number>();
    const working = inTransaction(opened.pool, async (client) => {
      pid.resolve(await pidOf(client));
      return note(client, 'contended');
    });
    const refused = expect(working).rejects.toBeInstanceOf(Unavailable);
    await waitForLockWait(await pid.promise);
    await terminate(await pid.promise);
    await refused;
    await other.query('rollback');
    expect(await isNoted('contended')).toBe(false);
  });
});

describe('work that another transaction overtook is done again', () => {
  test('after a unique violation', async () => {
    await database.query(`insert into notes values ('taken')`);
    const looks: boolean[] = [];
    const result = await inTransaction(opened.pool, async (client) => {
      const { rowCount } = await client.query(`select from notes where text = 'taken'`);
      looks.push(rowCount === 1);
      if (looks.length === 1) {
        await note(client, 'of the first look');
        await note(client, 'taken');
      }
      return looks.length;
    });
    expect(result).toBe(2);
    expect(looks).toEqual([true, true]);
    expect(await isNoted('of the first look')).toBe(false);
  });

  test('after a deadlock', async () => {
    await database.query(`insert into notes values ('one'), ('two')`);
    const lock = (text: string) => `select from notes where text = '${text}' for update`;
    const other = await database.connect();
    await other.query(`set deadlock_timeout = '1h'; begin`); // so that the other one is the victim
    await other.query(lock('two'));
    const pids: number[] = [];
    const started = Promise.withResolvers<void>();
    const working = inTransaction(opened.pool, async (client) => {
      pids.push(await pidOf(client));
      await client.query(lock('one'));
      started.resolve();
      await client.query(lock('two'));
      await note(client, `look ${pids.length}`);
      return pids.length;
    });
    await started.promise;
    await waitForLockWait(pids[0]!);
    await other.query(lock('one'));
    await other.query('commit');
    expect(await working).toBe(2);
    expect([await isNoted('look 1'), await isNoted('look 2')]).toEqual([false, true]);
  });

  test('but not for ever', async () => {
    let looks = 0;
    const working = inTransaction(opened.pool, () => {
      looks++;
      return Promise.reject(new LookAgain('too late'));
    });
    await expect(working).rejects.toBeInstanceOf(Unavailable);
    expect(looks).toBe(50);
  });
});

test('ROLLBACK as the answer to COMMIT is no success', async () => {
  const working = inTransaction(opened.pool, async (client) => {
    await note(client, 'rolled back');
    await client.query('select 1 / 0').catch(() => undefined);
    return 'done';
  });
  await expect(working).rejects.toBeInstanceOf(Unavailable);
  expect(await isNoted('rolled back')).toBe(false);
});

test('any other error is thrown as it is, with nothing done, and the session is good for the next', async () => {
  const working = inTransaction(opened.pool, async (client) => {
    await note(client, 'undone');
    await client.query('select 1 / 0');
  });
  await expect(working).rejects.toMatchObject({ code: '22012' });
  expect(await isNoted('undone')).toBe(false);
  await inTransaction(opened.pool, (client) => note(client, 'done'));
  expect(await isNoted('done')).toBe(true);
});

test('a database that is not there is unavailable', async () => {
  const url = new URL(database.url);
  url.pathname = '/of_nobody';
  const nowhere = await open(url.href);
  await expect(inTransaction(nowhere.pool, () => Promise.resolve())).rejects.toBeInstanceOf(Unavailable);
  await nowhere.close();
});

test('runs at read committed and with a deadline, whatever the session’s defaults are', async () => {
  const settings = await inTransaction(opened.pool, async (client) => {
    const { rows } = await client.query(
      `select current_setting('transaction_isolation') as isolation, current_setting('statement_timeout') as deadline`,
    );
    return rows[0] as unknown;
  });
  expect(settings).toEqual({ isolation: 'read committed', deadline: '30s' });
});
