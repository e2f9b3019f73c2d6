import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { quickStart, runCommand, startCommand } from '../support/command.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer, type TestServer } from '../support/test-server.js';
import { until } from '../support/until.js';

const token = (env: NodeJS.ProcessEnv, ...words: string[]) => runCommand(['token', ...words], { env });

describe('on a database of an operator’s', () => {
  let database: TestDatabase;
  let env: NodeJS.ProcessEnv;
  beforeAll(async () => {
    database = await createTestDatabase();
    env = { DATABASE_URL: database.url };
  });
  afterAll(() => database.drop());

  test('create prints the token alone on standard output, list and revoke never again', async () => {
    const words = ['--name', 'rating 1', '--role', 'collector', '--expires-in', 'P90D'];
    const grants = ['--grant', 'collector=gnocchi,scopeId=tenant-*', '--grant', 'collector=monasca'];
    const made = await token(env, 'create', ...words, ...grants);
    expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^scst_[0-9a-f]{16}_[\w-]{43}\n$/) });
    const text = made.out.trim();
    const [, id] = text.split('_');
    const secret = text.slice(-43);
    expect(made.err).toContain(id);
    expect(made.err).not.toContain(secret);

    const listed = await token(env, 'list');
    expect(listed.out).toMatch(
      new RegExp(
        `^NAME +ID +STATE +ROLE +CREATED +EXPIRES +GRANTS\\nrating 1 +${id} +in force +collector +\\S+Z +\\S+Z +scopeId=tenant-\\*,collector=gnocchi collector=monasca\\n$`,
      ),
    );
    expect(listed.out).not.toContain(secret);
  });

  test('a name has one token in force, and is free again once that is revoked', async () => {
    const create = () => token(env, 'create', '--name', 'rating 2', '--role', 'admin');
    const id = (await create()).out.split('_')[1];
    expect(await create()).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(
        /^scopestate: --name: found "rating 2", which a token in force has; allowed: .*\n$/,
      ),
    });
    expect(await token(env, 'revoke', 'rating 2')).toMatchObject({
      code: 0,
      out: `revoked ${id} (rating 2)\n`,
    });
    expect((await create()).code).toBe(0);
    expect((await token(env, 'list')).out).toMatch(
      /^rating 2 +\S+ +in force +admin +\S+ +never +\*\nrating 2 +\S+ +revoked /m,
    );
  });

  test('what is not there can’t be revoked', async () => {
    expect(await token(env, 'revoke', 'nobody')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/^scopestate: there is no token of that id.*\n$/),
    });
  });

  test.each([
    [['--role', 'reader'], /--name/],
    [['--name', 'import', '--role', 'reader'], /^error: --name: found "import"; allowed: /],
    [
      ['--name', 'a', '--role', 'boss'],
      /^error: --role: found "boss"; allowed: reader, collector, operator, admin\n$/,
    ],
    [
      ['--name', 'a', '--role', 'reader', '--grant', 'x=1'],
      /^error: --grant: found the field "x"; allowed: /,
    ],
    [
      ['--name', 'a', '--role', 'reader', '--grant', '{"collector":"a\\u0000"}'],
      /^error: --grant collector: found the control character U\+0000; allowed: 1 to 40 characters, /,
    ],
    [
      ['--name', 'a', '--role', 'reader', '--grant', String.raw`{"scopeId":"a\ud800"}`],
      /^error: --grant scopeId: found half of a surrogate pair; allowed: 1 to 256 characters, /,
    ],
    [
      ['--name', 'a', '--role', 'reader', '--grant', `scopeKey=${'x'.repeat(41)}`],
      /^error: --grant scopeKey: found 41 characters \("xxx.*\); allowed: 1 to 40 characters, /,
    ],
    [
      ['--name', 'a', '--role', 'reader', '--grant', 'fetcher='],
      /^error: --grant fetcher: found an empty text; allowed: 1 to 40 characters, /,
    ],
    [
      ['--name', 'a\nb', '--role', 'reader'],
      /^error: --name: found the invisible character U\+000A; allowed: 1 to 100 characters in UTF-8; /,
    ],
    [
      ['--name', 'a', '--role', 'reader', '--expires-in', 'P1Y'],
      /^error: --expires-in: found "P1Y"; allowed: /,
    ],
    [
      ['--name', 'a', '--role', 'reader', '--expires-in', 'PT0S'],
      /^error: --expires-in: found "PT0S"; allowed: /,
    ],
  ])('a mistake is told in one line: %j', async (words, line) => {
    const { code, out, err } = await token(env, 'create', ...words);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(line);
    expect(err.trim()).not.toContain('\n');
  });

  test('bytes that are no UTF-8 are never another text than the one typed', async () => {
    // A shell types them: Node.js itself has no word for such an argument.
    const words = `token create --role reader --name "$(printf 'caf\\351')"`;
    const shell = promisify(execFile)('sh', ['-c', `exec "$0" dist/main.js ${words}`, process.execPath], {
      env: { ...quickStart, ...env },
    });
    await expect(shell).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^error: --name: found bytes that are no UTF-8; allowed: /),
    });
  });
});

describe('beside a server that runs an embedded PostgreSQL', () => {
  let dataDir: string;
  let server: TestServer;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'scopestate-token-'));
    server = await startServer({ SCOPESTATE_DATA_DIR: dataDir, SCOPESTATE_AUTH: 'token' });
  });
  afterAll(async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  test('a token is in force without a restart, and out of it within two seconds', async () => {
    const env = { SCOPESTATE_DATA_DIR: dataDir };
    const { out } = await token(env, 'create', '--name', 'me', '--role', 'admin');
    const ask = () => server.ask('{ __typename }', {}, out.trim());
    expect(await ask()).toEqual({ data: { __typename: 'Query' } });
    expect(await token(env, 'revoke', 'me')).toMatchObject({ code: 0 });
    await until(
      'it is refused',
      async () => (await ask()).errors?.[0]?.extensions.code === 'UNAUTHENTICATED',
    );
  });

  test('no list of processes shows it while it is made', async () => {
    const child = startCommand(['token', 'create', '--name', 'unseen', '--role', 'reader'], {
      env: { SCOPESTATE_DATA_DIR: dataDir },
    });
    const [words, environment] = await Promise.all(
      ['cmdline', 'environ'].map((file) => readFile(`/proc/${child.pid}/${file}`, 'utf8').catch(() => '')),
    );
    let out = '';
    for await (const chunk of child.stdout) out += String(chunk);
    const secret = out.trim().slice(-43);
    expect(secret).toHaveLength(43);
    expect(words! + environment!).not.toContain(secret);
  });
});

const fullDisk = existsSync('/dev/full') ? test : test.skip;

fullDisk('a token that can not be shown is not kept in force', async () => {
  const database = await createTestDatabase();
  const env = { ...quickStart, DATABASE_URL: database.url };
  const words = ['dist/main.js', 'token', 'create', '--name', 'unseen', '--role', 'reader'];
  const full = await open('/dev/full', 'w');
  const child = spawn(process.execPath, words, { env, stdio: ['ignore', full.fd, 'pipe'] });
  const [err] = await Promise.all([readAll(child.stderr!), once(child, 'close')]);
  await full.close();
  expect(child.exitCode).toBe(1);
  expect(err).toMatch(/^scopestate: the token can't be shown .*it is revoked\n$/);
  expect((await token(env, 'list')).out).toMatch(/unseen .* revoked /);
  await database.drop();
});
