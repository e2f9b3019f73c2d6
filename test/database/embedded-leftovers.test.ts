import { afterEach, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startEmbeddedPostgres } from '../../src/database/embedded/embedded-postgres.js';
import { disownPidFile, readPidFile } from '../../src/database/embedded/pid-file.js';
import { platformBinaries } from '../../src/database/embedded/postgres-binaries.js';
import { chooseRunAs } from '../../src/database/embedded/run-as.js';
import { createLog } from '../../src/log.js';
import {
  cleanUp,
  killLater,
  newDataDir,
  postmasterPid,
  processState,
  query,
  startOwner,
  track,
} from './embedded-folders.js';
import { promised } from '../support/promised.js';
import { until } from '../support/until.js';

const log = createLog('silent');
const start = async (dataDir: string) => track(await startEmbeddedPostgres({ dataDir, log }));

afterEach(cleanUp);

/** A folder whose database holds a table, and no postmaster. */
async function stoppedDatabase(): Promise<string> {
  const dataDir = await newDataDir();
  const database = await start(dataDir);
  await query(database.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
  await database.stop();
  return dataDir;
}

async function expectKept(dataDir: string): Promise<void> {
  const database = await start(dataDir);
  expect(await query(database.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
}

async function sleeper(): Promise<number> {
  const child = spawn('sleep', ['600']);
  await once(child, 'spawn');
  const pid = child.pid as number;
  killLater(pid);
  return pid;
}

const linuxTest = process.platform === 'linux' ? test : test.skip;

linuxTest('a killed postmaster that nobody has reaped does not block the folder', async () => {
  const dataDir = await stoppedDatabase();
  const runAs = await chooseRunAs(await platformBinaries(), log);
  const pgdata = join(dataDir, 'postgres');
  // Its parent becomes a program that never reaps: the postmaster stays a zombie.
  const command = [...runAs.prefix, runAs.binaries.postgres, '-D', pgdata, '-p', '54321'];
  const settings = ['-c', `unix_socket_directories=${pgdata}`, '-c', 'listen_addresses='];
  const parent = spawn('sh', ['-c', '"$@" & exec sleep 600', 'sh', ...command, ...settings], {
    cwd: '/',
    stdio: 'ignore',
    ...runAs.become,
  });
  killLater(parent.pid as number);
  await until('it is ready', async () => (await readPidFile(pgdata))?.status === 'ready');
  const pid = await postmasterPid(dataDir);
  process.kill(pid, 'SIGKILL');
  await until('it is a zombie', async () => (await processState(pid)) === 'Z');
  expect(await postmasterPid(dataDir)).toBe(pid);

  await expectKept(dataDir);
  expect(await processState(pid)).toBe('Z');
});

test('a server and its postmaster that are both killed leave a folder that starts within five seconds', async () => {
  const dataDir = await newDataDir();
  const owner = startOwner([dataDir]);
  const { url = '' } = await owner.answer;
  await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
  const pid = await postmasterPid(dataDir);
  const killed = owner.kill('SIGKILL');
  process.kill(pid, 'SIGKILL');
  await killed;
  const began = performance.now();
  await expectKept(dataDir);
  expect(performance.now() - began).toBeLessThan(promised(5_000));
});

test('a pid file whose pid belongs to another program by now is taken for stale, and that program is left alone', async () => {
  const dataDir = await stoppedDatabase();
  const stranger = await sleeper();
  const pgdata = join(dataDir, 'postgres');
  await writeFile(join(pgdata, 'postmaster.pid'), `${stranger}\n${pgdata}\n1\n54321\n\n127.0.0.1\n\nready\n`);
  await expectKept(dataDir);
  expect(await processState(stranger)).toMatch(/[SR]/);
});

test('a pid file whose pid belongs to the postmaster of another folder is taken for stale', async () => {
  const [dataDir, otherDir] = [await stoppedDatabase(), await newDataDir()];
  const other = await start(otherDir);
  const pidFile = await readFile(join(otherDir, 'postgres', 'postmaster.pid'), 'utf8');
  await writeFile(join(dataDir, 'postgres', 'postmaster.pid'), pidFile);
  await expectKept(dataDir);
  expect(await query(other.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test.each([
  ['an empty', ''],
  ['a half-written', '12'],
])('%s pid file of a killed start does not block the folder', async (_, text) => {
  const dataDir = await stoppedDatabase();
  await writeFile(join(dataDir, 'postgres', 'postmaster.pid'), text);
  await expectKept(dataDir);
});

test('the pid file of a live postmaster is never touched, even when another one was judged stale before', async () => {
  const dataDir = await stoppedDatabase();
  const pgdata = join(dataDir, 'postgres');
  await writeFile(join(pgdata, 'postmaster.pid'), `${await sleeper()}\n${pgdata}\n1\n54321\n\n`);
  const judged = await readPidFile(pgdata);
  if (!judged) throw new Error('there was no pid file');
  // Other starts go on with what they judged before, while one is at work.
  let starting = true;
  const others = (async () => {
    for (; starting; await delay(0)) await disownPidFile(pgdata, judged);
  })();
  try {
    await start(dataDir);
  } finally {
    starting = false;
    await others;
  }
  const before = await readPidFile(pgdata);
  await disownPidFile(pgdata, judged);
  expect(await readPidFile(pgdata)).toEqual(before);
  expect(before).toMatchObject({ pid: await postmasterPid(dataDir), status: 'ready' });
  expect((await readdir(pgdata)).filter((name) => name.startsWith('postmaster.pid'))).toEqual([
    'postmaster.pid',
  ]);
});

test('a postmaster whose pid file another start took away is stopped, and one that keeps its own takes its place', async () => {
  const dataDir = await stoppedDatabase();
  const pgdata = join(dataDir, 'postgres');
  const owner = startOwner([dataDir]);
  let nameless: number | undefined;
  await until('it is there', async () => (nameless = (await readPidFile(pgdata))?.pid) !== undefined);
  await rm(join(pgdata, 'postmaster.pid'));

  const { url = '' } = await owner.answer;
  expect(await query(url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  expect(owner.log()).toContain('another start took its pid file');
  expect(await postmasterPid(dataDir)).not.toBe(nameless);
  expect(await processState(nameless!)).toBeUndefined();
});

test('three starts at once on a folder with a stale pid file: one wins, two are refused', async () => {
  const dataDir = await stoppedDatabase();
  const pgdata = join(dataDir, 'postgres');
  await writeFile(join(pgdata, 'postmaster.pid'), `${await sleeper()}\n${pgdata}\n1\n54321\n\n`);
  const answers = await Promise.all([1, 2, 3].map(() => startOwner([dataDir]).answer));
  const refused = answers.filter(({ name }) => name === 'OperatorError');
  expect(refused.map(({ message }) => message?.slice(0, 25))).toEqual(
    Array(2).fill('another scopestate server'),
  );
  const url = answers.find((answer) => answer.url)?.url ?? '';
  expect(await query(url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
});
