import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { runCommand, startCommand, type CommandWanted } from '../support/command.js';
import { createTestDatabase, testServerUrl, type DatabaseWanted } from '../support/test-database.js';
import type { TestDatabase } from '../support/test-database.js';

const nobodysPort = 'postgresql://operator:hunter2@127.0.0.1:1/scopestate';

let folder: string;
const databases: TestDatabase[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopestate-command-'));
});

afterEach(async () => {
  for (const database of databases.splice(0)) await database.drop();
});

afterAll(async () => {
  const left = await readdir(folder);
  await rm(folder, { recursive: true });
  expect(left).toEqual([]); // no command here has a database of its own to make
});

/** In a folder where nothing is, and nothing is to be made. */
function scopestate(words: string[], env: Record<string, string> = {}, options: CommandWanted = {}) {
  return runCommand(words, { cwd: folder, env, ...options });
}

async function newDatabase(wanted: DatabaseWanted): Promise<TestDatabase> {
  const database = await createTestDatabase(wanted);
  databases.push(database);
  return database;
}

const oneLine = (what: RegExp) =>
  expect.stringMatching(new RegExp(`^scopestate: [^\\n]*${what.source}[^\\n]*\\n$`));

describe('--help', () => {
  test.each([
    [],
    ['serve'],
    ['migrate'],
    ['migrate', 'up'],
    ['migrate', 'status'],
    ['schema'],
    ['doctor'],
    ['demo'],
  ])('explains scopestate %s %s', async (...command) => {
    const words = command.filter((word) => typeof word === 'string');
    const { code, out, err } = await scopestate([...words, '--help'], { DATABASE_URL: nobodysPort });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(new RegExp(`^Usage: ${['scopestate', ...words].join(' ')} `));
    expect(out.split('\n').length).toBeGreaterThan(4);
  });
});

test('--version says which one it is', async () => {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  expect(await scopestate(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
});

test('a port that is taken stops serve before it makes a database', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const answer = await scopestate(['serve'], { PORT: String(port) });
  other.close();
  const what = new RegExp(
    `can't listen on 127.0.0.1:${port}: another program does already, [^;]*; stop it, or set PORT`,
  );
  expect(answer).toEqual({ code: 1, out: '', err: oneLine(what) });
  expect(await readdir(folder)).toEqual([]);
});

test('migrate status makes no database where there is none', async () => {
  const { code, out, err } = await scopestate(['migrate', 'status']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/\.scopestate is not there yet; the first start makes it\n$/);
  expect(await readdir(folder)).toEqual([]);
});

describe('a wrong command line', () => {
  test.each([
    ['an unknown command', ['sevre']],
    ['an unknown option', ['--colour']],
    ['an unknown option of a command', ['serve', '--port', '1']],
    ['a word too many', ['schema', 'graphql']],
    ['an unknown subcommand', ['migrate', 'down']],
    ['a value that is not allowed', ['migrate', 'up', '--on-duplicate', 'keep-newest']],
    ['an option without its value', ['migrate', 'up', '--on-duplicate']],
  ])('%s exits with 2 and says so in one line', async (_what, args) => {
    const { code, out, err } = await scopestate(args, { DATABASE_URL: nobodysPort });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^[^\n]+\n$/);
  });

  test.each([[[]], [['migrate']]])('without a command, %j shows the help and exits with 2', async (args) => {
    const { code, out, err } = await scopestate(args, { DATABASE_URL: nobodysPort });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/Usage: scopestate/);
  });
});

describe('bad settings', () => {
  test.each([['serve'], ['migrate up'], ['migrate status']])(
    'stop %s with one line a fault',
    async (command) => {
      const { code, out, err } = await scopestate(command.split(' '), {
        PORT: '70000',
        LOG_LEVEL: 'loud',
        DATABASE_URL: 'mysql://operator:hunter2@host/db',
      });
      expect({ code, out }).toEqual({ code: 1, out: '' });
      const lines = err.trimEnd().split('\n');
      expect(lines).toHaveLength(3);
      for (const [place, name] of ['PORT', 'DATABASE_URL', 'LOG_LEVEL'].entries()) {
        expect(lines[place]).toMatch(new RegExp(`^scopestate: ${name}: found .*; allowed: `));
      }
      expect(err).not.toContain('hunter2');
    },
  );
});

describe('a database that can not be had', () => {
  const wrong = (part: Partial<Pick<URL, 'password' | 'username' | 'pathname'>>) =>
    Object.assign(new URL(testServerUrl()), part).href;
  const cases = (): [string, string, RegExp][] => [
    ['nobody listens', nobodysPort, /ECONNREFUSED/],
    ['no such database', wrong({ pathname: '/of_nobody' }), /of_nobody/],
    ['no such user', wrong({ username: 'nobody', password: 'hunter2' }), /nobody/],
    ['a wrong password', wrong({ password: 'hunter2' }), /password/],
  ];
  test.each([['serve'], ['migrate up'], ['migrate status']])(
    'stops %s with one line that holds no password',
    async (command) => {
      for (const [, url, what] of cases()) {
        const answer = await scopestate(command.split(' '), { DATABASE_URL: url });
        expect(answer).toEqual({ code: 1, out: '', err: oneLine(what) });
        for (const secret of ['hunter2', new URL(testServerUrl()).password]) {
          expect(answer.err).not.toContain(secret);
        }
      }
    },
  );
});

describe('schema', () => {
  test('prints schema.graphql, with no database and no settings', async () => {
    const { code, out, err } = await scopestate(['schema'], { DATABASE_URL: nobodysPort });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe(await readFile('schema.graphql', 'utf8'));
  });
});

describe('migrations on a server of yours', () => {
  test('that are pending stop serve, which names them and says how', async () => {
    const database = await newDatabase({ empty: true });
    const { code, out, err } = await scopestate(['serve'], { DATABASE_URL: database.url });
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toEqual(oneLine(/20181001000000_create_storage_states/));
    const files = (await readdir('dist/migrations')).filter((file) => file.endsWith('.js'));
    for (const file of files) expect(err).toContain(file.replace('.js', ''));
    expect(err).toContain('scopestate migrate up');
    expect(err).toContain('serve --migrate');
    expect(await database.query(`select from pg_class where relnamespace = 'public'::regnamespace`)).toEqual(
      [],
    );
  });

  test('are listed by migrate status, which changes nothing', async () => {
    const database = await newDatabase({ empty: true });
    const before = await scopestate(['migrate', 'status'], { DATABASE_URL: database.url });
    expect(before).toMatchObject({ code: 0, err: '' });
    expect(before.out).toMatch(
      /^no table of states yet\n(pending {3}\d{14}_\w+\n){2,}0 applied, \d+ pending\.\n$/,
    );
    expect(await database.query(`select from pg_class where relnamespace = 'public'::regnamespace`)).toEqual(
      [],
    );

    expect(await scopestate(['migrate', 'up'], { DATABASE_URL: database.url })).toMatchObject({
      code: 0,
      err: '',
    });
    const after = await scopestate(['migrate', 'status'], { DATABASE_URL: database.url });
    expect(after.out).toMatch(/^ +0 {2}rows\n[^]*\n(applied {3}\d{14}_\w+\n){2,}\d+ applied, 0 pending\.\n$/);
  });

  test('are applied first by serve --migrate', async () => {
    const database = await newDatabase({ dump: 'legacy-initial.sql' });
    const env = { DATABASE_URL: database.url, PORT: '0' };
    const child = startCommand(['serve', '--migrate'], { cwd: folder, env });
    const ended = once(child, 'close');
    const events: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      const { event } = JSON.parse(line) as { event: string };
      events.push(event);
      if (event === 'ready') child.kill('SIGINT');
    }
    expect(await ended).toEqual([0, null]);
    expect(events).toEqual(['migrated', 'ready', 'stopping', 'stopped']);
    expect(await database.query('select from cloudkitty_storage_states where version = 1')).toHaveLength(10);
  });
});

describe('a database that can not keep what it acknowledges is refused', () => {
  test('with synchronous_commit off', async () => {
    const database = await newDatabase({});
    const name = new URL(database.url).pathname.slice(1);
    await database.query(`alter database ${name} set synchronous_commit = off`);
    for (const command of ['serve', 'migrate up', 'migrate status']) {
      const answer = await scopestate(command.split(' '), { DATABASE_URL: database.url });
      expect(answer).toEqual({ code: 1, out: '', err: oneLine(/synchronous_commit is off/) });
    }
  });

  test.each(['LATIN1', 'SQL_ASCII'])('in the encoding %s', async (encoding) => {
    const database = await newDatabase({ empty: true, options: `encoding '${encoding}' locale 'C'` });
    for (const args of [
      ['serve', '--migrate'],
      ['migrate', 'up'],
    ]) {
      const answer = await scopestate(args, { DATABASE_URL: database.url });
      expect(answer).toEqual({ code: 1, out: '', err: oneLine(new RegExp(encoding)) });
    }
    expect(await database.query(`select from pg_class where relnamespace = 'public'::regnamespace`)).toEqual(
      [],
    );
  });
});

const oldNode = '/usr/bin/node';
const oldVersion = existsSync(oldNode)
  ? spawnSync(oldNode, ['--version'], { encoding: 'utf8' }).stdout.trim()
  : '';
const isOld = /^v(1\d|2[0-5])\./.test(oldVersion);
if (!isOld) console.log(`skipped: ${oldNode} is ${oldVersion || 'not there'}, no Node older than 26`);

(isOld ? test : test.skip)('an old Node is told which one is needed, in one line', async () => {
  for (const args of [['serve'], ['--help'], ['schema']]) {
    const answer = await scopestate(args, {}, { node: oldNode });
    expect(answer).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(/^scopestate needs Node\.js 26 [^\n]*\n$/),
    });
  }
});

describe('a line of .env that sets nothing stops every command, and is not repeated: it may hold a secret', () => {
  test.each([
    ['with a colon', 'PORT=0\nDATABASE_URL: postgresql://x:hunter2@h/d\n', 2],
    ['with a space', '# a remark\n\nSCOPESTATE_AUTH token', 3],
    ['behind a value of two lines', 'A="one\ntwo"\nB', 3],
  ])('%s', async (_, content, line) => {
    await writeFile(join(folder, '.env'), content);
    const { code, err } = await scopestate(['doctor']);
    await rm(join(folder, '.env'));
    expect({ code, err }).toEqual({
      code: 1,
      err: oneLine(new RegExp(`\\.env, line ${line}: found no setting`)),
    });
    expect(err).not.toContain('hunter2');
  });

  test('others are read', async () => {
    await writeFile(
      join(folder, '.env'),
      `export PORT = 0 # any\r\n\r\nother.name="a\nb"\nDATABASE_URL=${nobodysPort}\n`,
    );
    const { err } = await scopestate(['migrate', 'status']);
    await rm(join(folder, '.env'));
    expect(err).toMatch(/ECONNREFUSED/);
  });
});

test('demo --url takes addresses of servers only', async () => {
  for (const url of ['x', 'ftp://h/graphql']) {
    const { code, err } = await scopestate(['demo', '--url', url]);
    expect({ code, err }).toEqual({
      code: 2,
      err: expect.stringMatching(/^error: [^\n]*--url[^\n]*Allowed: http[^\n]*\n$/),
    });
  }
});
