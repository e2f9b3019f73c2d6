import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareClocks } from '../../src/doctor/examine-clock.js';
import { runCommand } from '../support/command.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer } from '../support/test-server.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopestate-doctor-'));
});
afterEach(() => rm(folder, { recursive: true }));

function canRead(uid: number, path: string): boolean {
  try {
    execFileSync('ls', [path], { cwd: '/', uid, gid: uid, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** What it says, one line a finding with its advice behind it, and its exit code. */
async function doctor(settings: Record<string, string>, user: { uid?: number; gid?: number } = {}) {
  const env = { PATH: process.env['PATH'], ...settings };
  const { code, out, err } = await runCommand(['doctor'], { cwd: folder, env, ...user });
  return { code, text: (out + err).replace(/\n +→/g, ' →') };
}

test('names each fault of the settings', async () => {
  const { code, text } = await doctor({ PORT: 'abc', SCOPESTATE_PERIODS: 'PT1H' });
  expect(code).toBe(1);
  expect(text).toMatch(/^WRONG {2}settings +PORT: found "abc"; allowed: .* → mend it/m);
  expect(text).toMatch(/^WRONG {2}settings +SCOPESTATE_PERIODS: .*did you mean SCOPESTATE_PERIOD\?/m);
  expect(text).toMatch(/\n2 things are wrong\.\n$/);
});

test.each([
  ['the database is behind', -3_000],
  ['this machine is behind', 3_000],
])('tells that %s', (found, ahead) => {
  expect(compareClocks(1_000_000 + ahead, 1_000_000, 1_000_010)).toMatchObject({
    level: 'wrong',
    found: expect.stringMatching(`differ by 3.0 s.*${found}`),
  });
  expect(compareClocks(1_000_000, 1_000_000, 1_000_010).level).toBe('well');
});

describe('on a database of an operator’s', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());
  const examine = () => doctor({ DATABASE_URL: database.url });

  test('finds nothing wrong where nothing is', async () => {
    const { code, text } = await examine();
    expect(text).not.toMatch(/WRONG/);
    expect(text).toMatch(/\nAll is well\.\n$/);
    expect(code).toBe(0);
  });

  test.each([
    ['nobody listens', (url: URL) => (url.port = '1'), /nothing listens there .* → start PostgreSQL/],
    ['the password is wrong', (url: URL) => (url.password = 'guess'), /refuses the password .* → mend user/],
    ['it is missing', (url: URL) => (url.pathname = '/nowhere'), /the database is not there .* → make it/],
  ])('says that %s', async (_name, change, wanted) => {
    const url = new URL(database.url);
    const { password } = url;
    change(url);
    const { code, text } = await doctor({ DATABASE_URL: url.href });
    expect(text).toMatch(wanted);
    expect(text).not.toContain(password);
    expect(code).toBe(1);
  });

  test('says which migrations are pending, and makes nothing', async () => {
    const empty = await createTestDatabase({ empty: true });
    const { code, text } = await doctor({ DATABASE_URL: empty.url });
    expect(text).toMatch(/^WRONG {2}schema +\d+ migrations are pending .* → run "scopestate migrate up"/m);
    expect(code).toBe(1);
    expect(await empty.query(`select from pg_class where relnamespace = 'public'::regnamespace`)).toEqual([]);
    await empty.drop();
  });

  test('asks the clock for what no setting of the sessions can round', async () => {
    const rounding = await createTestDatabase();
    const name = new URL(rounding.url).pathname.slice(1);
    await rounding.query(`alter database ${name} set extra_float_digits = -10`);
    expect((await doctor({ DATABASE_URL: rounding.url })).text).toMatch(/^ok +clock +.* differ by 0\.\d s$/m);
    await rounding.drop();
  });

  const insert = `insert into cloudkitty_storage_states (identifier, scope_key, collector, last_processed_timestamp)`;
  test.each([
    [
      'a newer schema',
      `insert into scopestate_migrations (name, executed_at) values ('29990101_new', now())`,
      /schema +made by a newer scopestate \(29990101_new\)/,
    ],
    [
      'commits that are not durable',
      `alter database $name set synchronous_commit = off`,
      /promises +its synchronous_commit is off/,
    ],
    [
      'a database that takes no writes',
      `alter database $name set default_transaction_read_only = on`,
      /database +.* takes no writes → set its default/,
    ],
    [
      'a missing right',
      `alter table scopestate_write_probe rename to gone`,
      /rights +the database user lacks update on scopestate_write_probe/,
    ],
    [
      'partly filled rows',
      `${insert} values ('half', 'project_id', null, '2026-01-01')`,
      /rows +1 partly filled \(scope id "half"\).* → fill in/,
    ],
    [
      'an id sequence that rows are ahead of',
      `insert into cloudkitty_storage_states (id, identifier, last_processed_timestamp) values (7, 'a', '2026-01-01')`,
      /ids +a new row would get 1, and there are rows up to 7: .* → as the owner of the table: select setval\('public\.cloudkitty_storage_states_id_seq', \(select max\(id\) from public\.cloudkitty_storage_states\)\)$/,
    ],
    [
      'rows with an empty text',
      `insert into cloudkitty_storage_states (identifier, scope_key, collector, fetcher, last_processed_timestamp)
       values ('hollow', '', '', '', '2026-01-01')`,
      /rows +1 with an empty text \(scope id "hollow"\).* → give them a unit with rekeyScopeState/,
    ],
    [
      'states in the future',
      `${insert} values ('early', null, null, '9000-01-01')`,
      /rows +1 in the future \(scope id "early"\).* → find out/,
    ],
    [
      'duplicates',
      `do $$ declare c text; begin
         select conname into c from pg_constraint where conrelid = 'cloudkitty_storage_states'::regclass and contype = 'u';
         execute format('alter table cloudkitty_storage_states drop constraint %I', c);
         ${insert} select 'twice', null, null, '2026-01-01' from generate_series(1, 2); end $$`,
      /rows +2 duplicates \(scope id "twice"\).* → run "scopestate migrate up --on-duplicate/,
    ],
  ])('finds %s', async (_name, breakIt, wanted) => {
    const broken = await createTestDatabase();
    await broken.query(breakIt.replace('$name', new URL(broken.url).pathname.slice(1)));
    const { code, text } = await doctor({ DATABASE_URL: broken.url });
    expect(text.split('\n').filter((line) => line.startsWith('WRONG'))).toEqual([
      expect.stringMatching(wanted),
    ]);
    expect(code).toBe(1);
    await broken.drop();
  });
});

describe('on a data folder', () => {
  const dataDir = () => join(folder, '.scopestate');
  const pidFile = () => join(dataDir(), 'postgres', 'postmaster.pid');

  test('makes none', async () => {
    const { code, text } = await doctor({});
    expect(text).toMatch(/^note +data folder +.*\.scopestate is not there yet/m);
    expect(code).toBe(0);
    expect(existsSync(dataDir())).toBe(false);
  });

  test('says that it is a file, or holds something else', async () => {
    await writeFile(dataDir(), '');
    expect((await doctor({})).text).toMatch(/^WRONG +data folder +.* is not a folder → move it away/m);
    await rm(dataDir());
    await mkdir(join(dataDir(), 'postgres', 'photos'), { recursive: true });
    const { code, text } = await doctor({});
    expect(text).toMatch(/^WRONG +data folder +.* is not a PostgreSQL data folder/m);
    expect(code).toBe(1);
  });

  // Root may do all: there it is asked as another user, who needs a way to the program.
  const nobody: { uid?: number; gid?: number } = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const reachesClone = nobody.uid === undefined || canRead(nobody.uid, join(process.cwd(), 'dist'));
  if (!reachesClone) console.log('skipped: no other user than root reaches this clone');
  (reachesClone ? test : test.skip)('says that it may not be written to', async () => {
    await mkdir(dataDir());
    await chmod(folder, 0o755);
    await chmod(dataDir(), 0o500);
    const { code, text } = await doctor({}, nobody);
    expect(text).toMatch(/^WRONG +data folder +you may not read and write .* → run scopestate as a user/m);
    expect(code).toBe(1);
  });

  test('asks a running server’s database, and starts and stops one that nobody runs', async () => {
    const server = await startServer({}, { cwd: folder });
    const asked = await doctor({});
    expect(asked.text).toMatch(
      new RegExp(`^ok +owner +a server runs on the data folder \\(process ${server.process.pid}\\)`, 'm'),
    );
    expect(asked.text).toMatch(/^ok +schema /m);
    expect(asked.code).toBe(0);
    const status = await runCommand(['migrate', 'status'], { cwd: folder, env: {} });
    expect(status).toMatchObject({ code: 0, out: expect.stringMatching(/, 0 pending\.\n$/), err: '' });
    expect(await server.data('{ scopeStates { totalCount } }')).toEqual({ scopeStates: { totalCount: 0 } });
    expect(await server.stop()).toBe(0);

    await chmod(join(dataDir(), 'postgres.password'), 0o644);
    const started = await doctor({});
    expect(started.text).toMatch(/^ok +owner +no server runs on the data folder/m);
    expect(started.text).toMatch(/^WRONG +password +others .* may read .* → chmod 600/m);
    expect(started.code).toBe(1);
    expect(existsSync(pidFile())).toBe(false);
  });
});
