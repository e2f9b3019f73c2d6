import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { writeFile, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { startServer, type TestServer } from '../support/test-server.js';
import { cleanUp, newDataDir, postmasterPid } from '../database/embedded-folders.js';
import { childrenOf, OwnPostgres } from '../support/own-postgres.js';
import { promised } from '../support/promised.js';
import { until } from '../support/until.js';

/** What is promised, and what a machine that is busy with other tests may add until a process gets its turn. */
const promisedMillis = 2_000;
const schedulingSlackMillis = 3_000;
const boundMillis = promisedMillis + schedulingSlackMillis;

let postgres: OwnPostgres;
let server: TestServer;

async function readiness(): Promise<{ status: number; reason?: string }> {
  const response = await fetch(new URL('/readyz', server.url));
  const { reason } = (await response.json()) as { reason?: string };
  return { status: response.status, ...(reason !== undefined && { reason }) };
}

async function isAlive(): Promise<boolean> {
  return (await fetch(new URL('/livez', server.url))).status === 200;
}

/** Breaks the database and mends it again; what `/readyz` said in between, once it was no longer ready. */
async function during(breakIt: () => Promise<unknown>, mendIt: () => Promise<unknown>): Promise<string> {
  await breakIt();
  let seen: Awaited<ReturnType<typeof readiness>> | undefined;
  await until(
    '/readyz turns false',
    async () => {
      expect(await isAlive()).toBe(true);
      seen = await readiness();
      return seen.status === 503;
    },
    boundMillis,
  );
  await mendIt();
  await until('/readyz turns true again', async () => (await readiness()).status === 200, boundMillis);
  expect(await isAlive()).toBe(true);
  expect(server.process.exitCode).toBeNull(); // no restart
  return seen!.reason!;
}

describe('with a database that can be stopped', () => {
  beforeAll(async () => {
    postgres = await OwnPostgres.create();
    server = await startServer({ DATABASE_URL: postgres.url });
  });
  beforeEach(() => until('ready at first', async () => (await readiness()).status === 200));
  afterAll(async () => {
    await server.stop();
    await postgres.remove();
  });

  test.each(['SIGINT', 'SIGQUIT', 'SIGKILL'] as const)('stopped by %s, and started', async (signal) => {
    const reason = await during(
      () => postgres.stop(signal),
      () => postgres.start(),
    );
    expect(reason).toBe('database unreachable');
  });

  test('frozen, and woken', async () => {
    const reason = await during(
      () => postgres.signalAll('SIGSTOP'),
      () => postgres.signalAll('SIGCONT'),
    );
    expect(reason).toBe('database unreachable');
  });

  test('frozen: a server stops all the same', async () => {
    const other = await startServer({ DATABASE_URL: postgres.url });
    await postgres.signalAll('SIGSTOP');
    const startedAt = performance.now();
    const code = await other.stop();
    const took = performance.now() - startedAt;
    await postgres.signalAll('SIGCONT');
    expect(code).toBe(0);
    expect(took).toBeLessThan(promised(10_000));
  });

  async function setReadOnly(value: 'on' | 'off') {
    await postgres.query(`alter system set default_transaction_read_only = ${value}`);
    await postgres.query('select pg_reload_conf()');
  }

  test('made read-only, and writable', async () => {
    const reason = await during(
      () => setReadOnly('on'),
      () => setReadOnly('off'),
    );
    expect(reason).toBe('writes are refused');
  });

  async function setFsync(value: 'on' | 'off') {
    await postgres.query(`alter system set fsync = ${value}`);
    await postgres.query('select pg_reload_conf()');
  }

  test('made forgetful, and durable', async () => {
    const reason = await during(
      () => setFsync('off'),
      () => setFsync('on'),
    );
    expect(reason).toBe('writes are not durable');
  });

  test('serializable by default, with another server that probes at the same time: ready', async () => {
    await postgres.query(`alter system set default_transaction_isolation = 'serializable'`);
    await postgres.query('select pg_reload_conf()');
    const other = await postgres.connect();
    const probedAt = async () => (await other.query('select probed_at from scopestate_write_probe')).rows[0];
    for (let round = 0; round < 3; round++) {
      await other.query('begin isolation level read committed');
      await other.query('update scopestate_write_probe set probed_at = now()');
      await until('the server waits for the row', async () => {
        const waiting = `select from pg_locks where not granted`;
        return (await other.query(waiting)).rowCount === 1;
      });
      const before = await probedAt();
      await other.query('commit');
      await until('the server has probed', async () => {
        expect(await readiness()).toEqual({ status: 200 });
        return String((await probedAt()).probed_at) !== String(before.probed_at);
      });
    }
    await other.end();
    await postgres.query(`alter system reset default_transaction_isolation`);
    await postgres.query('select pg_reload_conf()');
  });

  test('migrated by a newer version, and brought back', async () => {
    const name = '29990101000000_from_the_future';
    const reason = await during(
      () =>
        postgres.query('insert into scopestate_migrations (name, executed_at) values ($1, now())', [name]),
      () => postgres.query('delete from scopestate_migrations where name = $1', [name]),
    );
    expect(reason).toBe('schema is newer than this server');
  });

  test('brought back to an older schema, and migrated', async () => {
    const [last] = await postgres.query<{ name: string }>(
      `delete from scopestate_migrations where id = (select max(id) from scopestate_migrations) returning name`,
    );
    const reason = await during(
      () => Promise.resolve(),
      () =>
        postgres.query('insert into scopestate_migrations (name, executed_at) values ($1, now())', [
          last!.name,
        ]),
    );
    expect(reason).toBe('migrations pending');
  });
});

// Only root may make a file system of a size; elsewhere there is no disk that could be filled up.
const withSmallDisk = process.getuid?.() === 0 && process.platform === 'linux' ? describe : describe.skip;
withSmallDisk('with a database on a small disk', () => {
  beforeAll(async () => {
    postgres = await OwnPostgres.create({ megabytes: 160 });
    server = await startServer({ DATABASE_URL: postgres.url });
  });
  afterEach(async () => {
    await server.stop();
    await postgres.remove();
  });

  test('full, and with room again', async () => {
    const ballast = join(postgres.dataDir, 'ballast');
    const reason = await during(
      () => fill(ballast),
      () => rm(ballast),
    );
    expect(reason).toBe('disk full');
  });

  /** Until the last block: what PostgreSQL has reserved already, it keeps. */
  async function fill(file: string) {
    const { bavail, bsize } = await statfs(postgres.dataDir);
    await writeFile(file, Buffer.alloc(bavail * bsize + bsize)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOSPC') throw error;
    });
  }
});

describe('with the embedded PostgreSQL', () => {
  let dataDir: string;

  beforeAll(async () => {
    dataDir = await newDataDir();
    server = await startServer({ SCOPESTATE_DATA_DIR: dataDir });
  });
  afterAll(async () => {
    await server.stop();
    await cleanUp();
  });

  test('frozen, then killed: the server starts another', async () => {
    const postmaster = await postmasterPid(dataDir);
    const backends = await childrenOf(postmaster);
    const signal = (name: NodeJS.Signals) =>
      [postmaster, ...backends].forEach((pid) => process.kill(pid, name));
    const reason = await during(
      () => Promise.resolve(signal('SIGSTOP')),
      () => Promise.resolve(signal('SIGKILL')),
    );
    expect(reason).toBe('database unreachable');
    expect(await postmasterPid(dataDir)).not.toBe(postmaster);
  });
});
