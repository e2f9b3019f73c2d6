import { afterEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { cp, readdir, readFile, rename } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { startEmbeddedPostgres } from '../../src/database/embedded/embedded-postgres.js';
import { findPostmaster } from '../../src/database/embedded/running-postmaster.js';
import { createLog } from '../../src/log.js';
import { until } from '../support/until.js';
import {
  cleanUp,
  newDataDir,
  postmasterPid,
  processState,
  query,
  startOwner,
  track,
} from './embedded-folders.js';

const log = createLog('silent');
const start = async (dataDir: string) => track(await startEmbeddedPostgres({ dataDir, log }));

/** One whose log can be read. */
async function startHeard(dataDir: string) {
  let text = '';
  const heard = pino({}, { write: (line) => void (text += line) });
  return { told: () => text, database: track(await startEmbeddedPostgres({ dataDir, log: heard })) };
}

/** The process that holds the lock by which the folder is ours. */
async function ownerBackend(url: string): Promise<number> {
  const [lock] = await query<{ pid: number }>(url, `SELECT pid FROM pg_locks WHERE locktype = 'advisory'`);
  return lock!.pid;
}

afterEach(cleanUp);

/** Resolves when another postmaster than this one takes connections under the URL, and the folder is owned again. */
async function restarted(dataDir: string, url: string, killed: number): Promise<void> {
  await until('another postmaster is there', async () => {
    const isOwned = await ownerBackend(url).then(Boolean, () => false);
    return isOwned && (await postmasterPid(dataDir)) !== killed;
  });
}

async function killPostmaster(dataDir: string): Promise<number> {
  const pid = await postmasterPid(dataDir);
  process.kill(pid, 'SIGKILL');
  return pid;
}

test('a postmaster that is killed is started again, under the same URL and with all that was committed', async () => {
  const dataDir = await newDataDir();
  const database = await start(dataDir);
  await query(database.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
  for (let round = 0; round < 3; round++) {
    await restarted(dataDir, database.url, await killPostmaster(dataDir));
    expect(await query(database.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  }
  await expect(start(dataDir)).rejects.toThrow('another scopestate server'); // it is owned again, too
  const last = await postmasterPid(dataDir);
  await database.stop();
  expect([undefined, 'Z']).toContain(await processState(last));
});

test('a taken-over postmaster that is killed is started again too', async () => {
  const dataDir = await newDataDir();
  const owner = startOwner([dataDir]);
  await owner.answer;
  await owner.kill('SIGKILL');
  const database = await start(dataDir);
  await restarted(dataDir, database.url, await killPostmaster(dataDir));
});

test.each([0, 20, 100, 300])(
  'told to stop %i ms into a restart, no postmaster is left',
  async (milliseconds) => {
    const dataDir = await newDataDir();
    const database = await start(dataDir);
    await killPostmaster(dataDir);
    await delay(milliseconds);
    await database.stop();
    const { postmaster } = await findPostmaster(join(dataDir, 'postgres'));
    expect(postmaster).toBeUndefined();
    const next = await start(dataDir);
    expect(await query(next.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  },
);

test('a restart waits for its port, and never makes an empty database in place of one that has gone', async () => {
  const dataDir = await newDataDir();
  const { told, database } = await startHeard(dataDir);
  await query(database.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
  const pgdata = join(dataDir, 'postgres');
  await rename(pgdata, `${pgdata}.away`);
  const pid = Number((await readFile(join(`${pgdata}.away`, 'postmaster.pid'), 'utf8')).split('\n')[0]);
  process.kill(pid, 'SIGKILL');
  await until('it has gone', async () => [undefined, 'Z'].includes(await processState(pid)));
  const stranger = createServer().listen(database.port, '127.0.0.1');
  await once(stranger, 'listening');
  await until('it is told of', () => told().includes(`the database in ${dataDir} has gone; bring it back`));
  expect(await readdir(dataDir)).not.toContain('postgres');

  await rename(`${pgdata}.away`, pgdata);
  await until('the port is asked for', () => told().includes('TCP/IP sockets'));
  stranger.close();
  await until('it is back', () => query(database.url, 'SELECT answer FROM kept').then(Boolean, () => false));
});

test('a database that is put in the place of the right one is not used', async () => {
  const [dataDir, otherDir] = [await newDataDir(), await newDataDir()];
  const { told, database } = await startHeard(dataDir);
  await query(database.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
  const other = await startEmbeddedPostgres({ dataDir: otherDir, log });
  await query(other.url, `ALTER ROLE scopestate PASSWORD '${new URL(database.url).password}'`);
  await other.stop();

  const [pgdata, pid] = [join(dataDir, 'postgres'), await postmasterPid(dataDir)];
  await rename(pgdata, `${pgdata}.away`);
  await cp(join(otherDir, 'postgres'), pgdata, { recursive: true });
  process.kill(pid, 'SIGKILL');
  await until('it is told of', () => told().includes(`the database in ${dataDir} is another one now`));
  await expect(query(database.url, 'SELECT 1')).rejects.toThrow();

  await rename(pgdata, `${pgdata}.wrong`);
  await rename(`${pgdata}.away`, pgdata);
  await until('it is back', () => query(database.url, 'SELECT answer FROM kept').then(Boolean, () => false));
});

test('told to stop while the postmaster is frozen and has lost its owner, it is woken and ended', async () => {
  const dataDir = await newDataDir();
  const { told, database } = await startHeard(dataDir);
  const [postmaster, owner] = [await postmasterPid(dataDir), await ownerBackend(database.url)];
  process.kill(postmaster, 'SIGSTOP');
  process.kill(owner, 'SIGKILL');
  await until('the loss is seen', () => told().includes('taking it again'));
  await database.stop();
  expect([undefined, 'Z']).toContain(await processState(postmaster));
});

test('a backend that is stuck keeps neither the restart nor the stop', async () => {
  const dataDir = await newDataDir();
  const { told, database } = await startHeard(dataDir);
  const [postmaster, owner] = [await postmasterPid(dataDir), await ownerBackend(database.url)];
  process.kill(owner, 'SIGSTOP');
  try {
    process.kill(postmaster, 'SIGKILL');
    await until('a start was tried', async () => {
      const text = await readFile(join(dataDir, 'postgres.log'), 'utf8');
      return told().includes('starting it again') && text.includes('pre-existing shared memory block');
    });
    await database.stop();
  } finally {
    process.kill(owner, 'SIGKILL');
  }
  const { postmaster: left } = await findPostmaster(join(dataDir, 'postgres'));
  expect(left).toBeUndefined();
});

test('a folder that another server has taken meanwhile is lost', async () => {
  const dataDir = await newDataDir();
  const database = await start(dataDir);
  const pid = await postmasterPid(dataDir);
  process.kill(pid, 'SIGSTOP');
  process.kill(pid, 'SIGKILL');
  const other = startOwner([dataDir]); // whichever of the two is first, one has it in the end
  const [first] = await Promise.race([
    database.lost.then((error) => [error.message]),
    other.answer.then(async ({ message }) => [message ?? (await database.lost).message]),
  ]);
  expect(first).toContain('another scopestate server');
});
