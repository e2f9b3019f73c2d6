import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runCommand, startCommand } from '../support/command.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer, type TestServer } from '../support/test-server.js';
import { scaled } from '../support/units.js';
import { until } from '../support/until.js';
import { openSqlStateSpy, type SqlStateSpy } from './sql-state-spy.js';

const password = 'hunter2';
const trace = { LOG_LEVEL: 'trace', PORT: '0' };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopestate-secrets-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** In a folder where nothing is. */
const run = (words: string[], DATABASE_URL: string) =>
  runCommand(words, { cwd: folder, env: { ...trace, DATABASE_URL } });

/** The password in places where a reader of the URL may take it for something else. */
const wrongUrls = [
  `postgresql://operator:x@${password}@127.0.0.1:1/states`,
  `postgresql://operator@127.0.0.1:1/states?password=${password}`,
  `postgresql://operator:${password}@127.0.0.1:1/states?sslrootcert=/nowhere`,
];
const unreadableUrls = [
  `postgresql://operator:${password}/x@127.0.0.1/states`,
  `postgresql://operator:${password}#x@127.0.0.1/states`,
  `postgresql://operator:%zz${password}@127.0.0.1/states`,
  `postgresql://operator:x ${password}@127.0.0.1/states`,
  `postgresql:/operator:${password}@127.0.0.1/states`,
  `operator:${password}@127.0.0.1/states`,
];

describe('a DATABASE_URL that leads nowhere, or is none', () => {
  test.each([
    'serve',
    'migrate up',
    'migrate status',
    'doctor',
    'export',
    'import states.csv',
    'history prune',
    'token list',
    'token create --name a --role reader',
    'token revoke a',
  ])(
    'its password is not told by %s, nor is a stack',
    async (command) => {
      // Settings are read by all in one way.
      const all = [...wrongUrls, ...unreadableUrls];
      const urls = ['serve', 'doctor'].includes(command) ? all : all.slice(0, scaled(3, 1));
      for (const url of urls) {
        const { code, out, err } = await run(command.split(' '), url);
        expect(code).toBe(1);
        expect(out + err).not.toContain(password);
        expect(out + err).not.toMatch(/\n\s+at |should not have happened/);
      }
    },
    60_000,
  );
});

test.each([
  ['serve', `postgresql://operator:${password}@db/states`],
  ['serve', `--url=postgresql://operator:${password}@db/states`],
  ['import', 'a.csv', `postgresql://operator:${password}@db/states`],
  ['import', '--format', `postgresql://operator:${password}@db/states`, 'a'],
  ['export', `mysql+pymysql://operator:${password}@db/states`],
  ['token', 'list', `scst_abc_${password}`],
  ['demo', '--url', `http://operator:${password}@127.0.0.1:1/graphql`],
])('a secret in the wrong place of a command line is not repeated: %s %s %s', async (...words) => {
  const { code, out, err } = await run(words, wrongUrls[0]!);
  expect(code).toBeGreaterThan(0);
  expect(err).not.toBe('');
  expect(out + err).not.toContain(password);
});

describe('a database that has gone', () => {
  let database: TestDatabase;
  let spy: SqlStateSpy;
  let server: TestServer;
  beforeAll(async () => {
    database = await createTestDatabase();
    spy = await openSqlStateSpy(database.url);
    server = await startServer({ ...trace, DATABASE_URL: spy.url });
  });
  afterAll(async () => {
    await server.stop();
    await database.drop();
  });

  test('/readyz, answers and the log at its most talkative tell neither host nor password', async () => {
    const { password: secret, port } = new URL(spy.url);
    expect(secret).not.toBe('');
    await spy.close();
    const readyz = async () => (await fetch(new URL('/readyz', server.url))).text();
    const notReady = '{"status":"not ready","reason":"database unreachable"}';
    await until('/readyz knows', async () => (await readyz()) === notReady);
    const answer = JSON.stringify(await server.ask('{ scopeStates { totalCount } }'));
    expect(answer).toContain('"UNAVAILABLE"');
    expect(answer).not.toMatch(new RegExp(`${secret}|${port}|127\\.0\\.0\\.1`));
    expect(server.logLines.join('\n')).toContain('ECONNREFUSED');
    expect(server.logLines.join('\n')).not.toContain(secret);
  });
});

/** Linux shows there what `ps` shows. */
(existsSync('/proc/self/cmdline') ? test : test.skip)(
  'no process that serves or asks shows the password in ps',
  async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => void sockets.add(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const DATABASE_URL = `postgresql://operator:${password}@127.0.0.1:${port}/states`;
    const commands = [['serve'], ['token', 'list'], ['migrate', 'up']].map((words) =>
      startCommand(words, { cwd: folder, env: { ...trace, DATABASE_URL } }),
    );
    try {
      await until('all of them ask', () => sockets.size >= commands.length);
      const shown = await Promise.all(
        (await readdir('/proc'))
          .filter((name) => /^\d+$/.test(name))
          .map((pid) => readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')),
      );
      expect(shown.filter((line) => line.includes('dist/main.js\0token\0list'))).toHaveLength(1);
      expect(shown.filter((line) => line.includes(`:${password}@`))).toEqual([]);
    } finally {
      const ended = commands.map((child) => once(child, 'close'));
      for (const child of commands) child.kill();
      for (const socket of sockets) socket.destroy();
      await Promise.all(ended);
      silent.close();
    }
  },
);
