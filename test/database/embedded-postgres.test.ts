import { afterEach, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { startEmbeddedPostgres } from '../../src/database/embedded/embedded-postgres.js';
import { platformBinaries } from '../../src/database/embedded/postgres-binaries.js';
import { createLog } from '../../src/log.js';
import {
  cleanUp,
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

const anyTextWith = (part: string): unknown => expect.stringContaining(part);
const anyTextLike = (pattern: RegExp): unknown => expect.stringMatching(pattern);

afterEach(cleanUp);

test('a fresh folder gets an empty database within ten seconds, an existing one is ready within three', async () => {
  const dataDir = await newDataDir();
  const began = performance.now();
  const first = await start(dataDir);
  expect(performance.now() - began).toBeLessThan(promised(10_000));
  expect(first.url).toMatch(
    /^postgresql:\/\/scopestate:[\w-]{32}@127\.0\.0\.1:\d+\/scopestate\?sslmode=disable$/,
  );
  await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
  await first.stop();
  await first.stop();

  const again = performance.now();
  const second = await start(dataDir);
  expect(performance.now() - again).toBeLessThan(promised(3_000));
  expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
});

test('the database is durable, in UTF8 and the C locale, in UTC, and listens on the loopback only', async () => {
  const { url } = await start(await newDataDir());
  const settings = await query<{ name: string; setting: string }>(
    url,
    `SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit',
     'server_encoding', 'TimeZone', 'log_timezone', 'listen_addresses', 'unix_socket_directories')`,
  );
  expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    server_encoding: 'UTF8',
    TimeZone: 'UTC',
    log_timezone: 'UTC',
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
  });
  expect(
    await query(url, 'SELECT datcollate, datctype FROM pg_database WHERE datname = current_database()'),
  ).toEqual([{ datcollate: 'C', datctype: 'C' }]);
});

test('only the owner can read the folder, and the password is asked for and is on no command line', async () => {
  const dataDir = await newDataDir();
  // All that runs while it is made and started is seen, by looking again and again.
  const seen = new Set<string>();
  const made = start(dataDir);
  let looking = true;
  const stopLooking = () => (looking = false);
  made.then(stopLooking, stopLooking);
  while (looking) {
    const { stdout } = await promisify(execFile)('ps', ['-ww', '-eo', 'args']);
    for (const line of stdout.split('\n')) seen.add(line);
  }
  const { url } = await made;
  const commands = [...seen].join('\n');
  const password = new URL(url).password;
  expect(commands).toContain('initdb');
  expect(commands).toContain('postgres -D');
  expect(commands).not.toContain(password);
  const modes = ['', 'postgres', 'postgres.password', 'postgres.log'].map(async (name) => {
    const { mode } = await stat(join(dataDir, name));
    return (mode & 0o777).toString(8);
  });
  expect(await Promise.all(modes)).toEqual(['700', '700', '600', '600']);
  await expect(query(url.replace(password, 'wrong'), 'SELECT 1')).rejects.toThrow('password authentication');
});

test('the postmaster of a killed server is taken over, with all that was committed', async () => {
  const dataDir = await newDataDir();
  const owner = startOwner([dataDir]);
  const { url = '' } = await owner.answer;
  await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
  const pid = await postmasterPid(dataDir);
  await owner.kill('SIGKILL');

  const database = await start(dataDir);
  expect(await postmasterPid(dataDir)).toBe(pid);
  expect(await query(database.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  await database.stop();
  expect(await processState(pid)).not.toMatch(/[RSDT]/);
});

test('a second server on the folder is refused within five seconds, and changes nothing', async () => {
  const dataDir = await newDataDir();
  const first = startOwner([dataDir]);
  const { url = '' } = await first.answer;
  const pid = await postmasterPid(dataDir);
  const snapshot = async () => {
    const names = (await readdir(dataDir)).sort();
    const facts = names.map(async (name) => {
      const { ino, mode, uid, ctimeMs } = await stat(join(dataDir, name));
      return { name, ino, mode, uid, ctimeMs: name === 'postgres.log' ? 0 : ctimeMs };
    });
    const pidFile = await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8');
    return { facts: await Promise.all(facts), pidFile };
  };
  const before = await snapshot();
  const began = performance.now();
  const second = startOwner([dataDir]);
  expect(await second.answer).toEqual({
    name: 'OperatorError',
    message: anyTextLike(
      new RegExp(
        `^another scopestate server \\(process ${first.child.pid}, backend pid \\d+\\) is running on ${dataDir}; stop it, `,
      ),
    ),
  });
  expect(performance.now() - began).toBeLessThan(promised(5_000));
  expect(await snapshot()).toEqual(before);
  expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect(await postmasterPid(dataDir)).toBe(pid);
});

test('of two first starts at once on one empty folder one wins and the other is refused', async () => {
  const dataDir = await newDataDir();
  const both = [startOwner([dataDir]), startOwner([dataDir])];
  const answers = await Promise.all(both.map((owner) => owner.answer));
  expect(answers.map(({ name }) => name ?? 'started').sort()).toEqual(['OperatorError', 'started']);
  const url = answers.find((answer) => answer.url)?.url ?? '';
  expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  const names = await readdir(dataDir);
  expect(names.sort()).toEqual(['postgres', 'postgres.log', 'postgres.password']);
});

test('a start that was killed while it made the database does not block the next one', async () => {
  const dataDir = await newDataDir();
  const owner = startOwner([dataDir]);
  await until('initdb is at work', async () => {
    const names = await readdir(dataDir).catch(() => []);
    const staging = names.find((name) => name.startsWith('postgres.initdb-'));
    return (
      staging !== undefined && (await readdir(join(dataDir, staging, 'data')).catch(() => [])).length > 0
    );
  });
  await owner.kill('SIGKILL');
  expect(await readdir(dataDir)).not.toContain('postgres');

  const database = await start(dataDir);
  expect(await query(database.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect((await readdir(dataDir)).sort()).toEqual(['postgres', 'postgres.log', 'postgres.password']);
});

test('an ownership whose connection was ended is taken again, so that a second server is still refused', async () => {
  const dataDir = await newDataDir();
  const database = await start(dataDir);
  const ended = await query<{ pid: number }>(
    database.url,
    `SELECT pid, pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'`,
  );
  expect(ended).toHaveLength(1);
  await until('the lock is held again', async () => {
    const held = await query<{ pid: number }>(
      database.url,
      `SELECT pid FROM pg_locks WHERE locktype = 'advisory'`,
    );
    return held.length === 1 && held[0]?.pid !== ended[0]?.pid;
  });
  await expect(start(dataDir)).rejects.toThrow('another scopestate server');
});

test('a postmaster that runs but is frozen is told of, and left alone', async () => {
  const dataDir = await newDataDir();
  const owner = startOwner([dataDir]);
  await owner.answer;
  const pid = await postmasterPid(dataDir);
  process.kill(pid, 'SIGSTOP');
  await owner.kill('SIGKILL');
  await expect(start(dataDir)).rejects.toThrow(
    `(process ${pid}) on ${dataDir}/postgres runs but does not answer`,
  );
  process.kill(pid, 'SIGCONT');
  expect(await postmasterPid(dataDir)).toBe(pid);
  await start(dataDir);
});

test('a log that has grown over ten megabytes is begun anew', async () => {
  const dataDir = await newDataDir();
  const first = await start(dataDir);
  await first.stop();
  await writeFile(join(dataDir, 'postgres.log'), Buffer.alloc(11 * 1024 * 1024, 'x\n'));
  await start(dataDir);
  expect((await stat(join(dataDir, 'postgres.log'))).size).toBeLessThan(10_000);
  expect((await stat(join(dataDir, 'postgres.log.1'))).size).toBe(11 * 1024 * 1024);
});

test.each([
  ['another major version', 'PG_VERSION', '14\n', 'was made by PostgreSQL 14, and the embedded one is 18'],
  ['a lost password', 'postgres.password', undefined, 'postgres.password is missing'],
  ['an empty password', 'postgres.password', '\n', 'postgres.password is empty'],
  ['a wrong password', 'postgres.password', 'wrong\n', 'refuses the password in postgres.password'],
])('%s is told in one line, and no postmaster is left', async (_, file, content, message) => {
  const dataDir = await newDataDir();
  const first = await start(dataDir);
  await first.stop();
  const path = join(dataDir, file === 'PG_VERSION' ? 'postgres/PG_VERSION' : file);
  if (content === undefined) await rm(path);
  else await writeFile(path, content);
  const refusal = await start(dataDir).catch((error: unknown) => error as Error);
  expect(refusal).toMatchObject({
    name: 'OperatorError',
    message: anyTextWith(message),
  });
  expect((refusal as Error).message).not.toContain('\n');
  expect(await readdir(join(dataDir, 'postgres'))).not.toContain('postmaster.pid');
});

test('a folder that is not PostgreSQL’s is left as it is', async () => {
  const dataDir = await newDataDir();
  await mkdir(join(dataDir, 'postgres'), { recursive: true });
  await writeFile(join(dataDir, 'postgres', 'letter.txt'), 'dear');
  await expect(start(dataDir)).rejects.toThrow('is not a PostgreSQL data folder');
  expect(await readdir(join(dataDir, 'postgres'))).toEqual(['letter.txt']);
});

test('a data folder that can not be made is told in one line', async () => {
  const dataDir = await newDataDir();
  await writeFile(dataDir, 'a file is in the way');
  await expect(start(dataDir)).rejects.toMatchObject({ name: 'OperatorError' });
});

test('an older PostgreSQL that a killed server left running is stopped by one of another version', async () => {
  const dataDir = await newDataDir();
  const owner = startOwner([dataDir]);
  await owner.answer;
  const pid = await postmasterPid(dataDir);
  await owner.kill('SIGKILL');
  // Binaries of the same major version that call themselves newer: what an update brings.
  const { initdb, postgres } = await platformBinaries();
  const newer = join(dirname(dataDir), 'newer', 'bin');
  await cp(dirname(dirname(postgres)), dirname(newer), { recursive: true, verbatimSymlinks: true });
  await writeFile(
    join(newer, 'postgres-of-tomorrow'),
    `#!/bin/sh\nif [ "$1" = --version ]; then echo 'postgres (PostgreSQL) 18.99'; else exec ${newer}/postgres "$@"; fi\n`,
  );
  await chmod(join(newer, 'postgres-of-tomorrow'), 0o755);
  const database = track(
    await startEmbeddedPostgres({
      dataDir,
      log,
      binaries: { initdb, postgres: join(newer, 'postgres-of-tomorrow') },
    }),
  );
  expect(await postmasterPid(dataDir)).not.toBe(pid);
  expect(await query(database.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});
