import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { runCommand } from '../support/command.js';
import { connectAsOwner } from '../support/embedded-owner-client.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer, type TestServer } from '../support/test-server.js';
import { unit } from '../support/units.js';

const advance = `mutation ($unit: CollectionUnitInput!) {
  advanceScopeState(input: { unit: $unit, lastProcessedTimestamp: "2026-01-01T00:00:00Z" }) {
    outcome scopeState { changes { nodes { kind actor } } }
  }
}`;

/** Owners and rights of our tables, and what the functions run as. */
const rightsOf = `
  select relname as name, pg_get_userbyid(relowner) = 'scopestate_history' as of_history,
    array(select acl::text from unnest(relacl) acl where acl::text ~ '^scopestate_server=' order by 1) as rights
  from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'S')
  union all
  select proname, pg_get_userbyid(proowner) = 'scopestate_history', '{}' from pg_proc
  where pronamespace = 'public'::regnamespace order by 1`;

const attempts = [
  'update scopestate_history set actor = $$somebody else$$',
  'delete from scopestate_history',
  'truncate scopestate_history',
  'drop table scopestate_history',
  'update scopestate_history_start set sequence = 9',
  'alter table cloudkitty_storage_states disable trigger all',
  `set session_replication_role = 'replica'`,
  'set role scopestate_history',
  'insert into scopestate_tokens select * from scopestate_tokens',
  'update scopestate_tokens set revoked_at = null',
  'delete from scopestate_tokens',
  'select scopestate_record_foreign_row(null, s) from cloudkitty_storage_states s',
];

describe('the embedded PostgreSQL', () => {
  let dataDir: string;
  let server: TestServer;
  let owner: pg.Client;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'scopestate-roles-'));
    server = await startServer({ SCOPESTATE_DATA_DIR: dataDir });
    owner = await connectAsOwner(dataDir);
  });

  afterAll(async () => {
    await owner.end();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  test('serves in a role that is no superuser', async () => {
    expect(await server.data(advance, { unit: unit() })).toMatchObject({
      advanceScopeState: { outcome: 'CREATED' },
    });
    const { rows } = await owner.query(`select rolsuper from pg_roles where rolname = 'scopestate_server'`);
    expect(rows).toEqual([{ rolsuper: false }]);
    await owner.query('revoke insert on scopestate_history from scopestate_server');
    const { errors } = await server.ask(advance, { unit: unit() });
    await owner.query('grant insert on scopestate_history to scopestate_server');
    expect(errors).toMatchObject([{ path: ['advanceScopeState'] }]);
  });

  test('gives the roles the rights that the README names', async () => {
    const { rows: embedded } = await owner.query(rightsOf);
    expect(embedded).toEqual(await rightsByReadme());
  });

  test.each(attempts)('lets the server’s role not: %s', async (statement) => {
    await owner.query('set session authorization scopestate_server');
    try {
      await expect(owner.query(statement)).rejects.toMatchObject({ code: '42501' });
    } finally {
      await owner.query('reset session authorization');
    }
  });
});

/** Roles are the whole server's, and this is the only test that makes these on the tests' own. */
async function withReadmeRoles<T>(
  work: (database: TestDatabase, serverUrl: string) => Promise<T>,
): Promise<T> {
  const database = await createTestDatabase();
  const [grants] = /begin;\ncreate role scopestate_history;[^]*?(?=```)/.exec(
    await readFile('README.md', 'utf8'),
  )!;
  await database.query(grants);
  const url = new URL(database.url);
  url.username = 'scopestate_server';
  url.password = 'choose one';
  try {
    return await work(database, url.href);
  } finally {
    await database.query(
      `drop owned by scopestate_server cascade; drop role scopestate_server;
       reassign owned by scopestate_history to current_user; drop owned by scopestate_history cascade;
       drop role scopestate_history`,
    );
    await database.drop();
  }
}

const rightsByReadme = () => withReadmeRoles((database) => database.query(rightsOf));

test('a server of yours, with the README’s roles, serves, and leaves pruning to the owner', async () => {
  await withReadmeRoles(async (database, serverUrl) => {
    const server = await startServer({ DATABASE_URL: serverUrl });
    try {
      expect(await server.data(advance, { unit: unit() })).toMatchObject({
        advanceScopeState: { scopeState: { changes: { nodes: [{ kind: 'CREATED', actor: 'anonymous' }] } } },
      });
    } finally {
      await server.stop();
    }
    const run = (...words: string[]) => runCommand(words, { env: { DATABASE_URL: serverUrl } });
    const mayNotPrune =
      /^scopestate: the database user may not prune .* another role, scopestate_history: .*\n$/;
    expect(await run('history', 'prune')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(mayNotPrune),
    });
    expect(await run('history', 'prune', '--dry-run')).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^0 entries are older/),
      err: expect.stringMatching(mayNotPrune),
    });
    for (const [words, what] of [
      [['create', '--name', 'me', '--role', 'admin'], 'make'],
      [['revoke', 'me'], 'revoke'],
    ] as const) {
      expect(await run('token', ...words)).toMatchObject({
        code: 1,
        out: '',
        err: `scopestate: the database user may not ${what} tokens: run this with the DATABASE_URL of the owner who ran "scopestate migrate up"\n`,
      });
    }
    expect(await run('token', 'list')).toMatchObject({ code: 0 });
    await database.query('revoke select on scopestate_tokens from scopestate_server');
    expect(await run('token', 'list')).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /^scopestate: the database user lacks a right: permission denied for table scopestate_tokens; .*\n$/,
      ),
    });
    await database.query('grant select on scopestate_tokens to scopestate_server');
    expect(await runCommand(['history', 'prune'], { env: { DATABASE_URL: database.url } })).toMatchObject({
      code: 0,
    });
    expect(await runCommand(['doctor'], { env: { DATABASE_URL: serverUrl, PORT: '0' } })).toMatchObject({
      out: expect.stringContaining('may add to it, and alter nothing'),
    });
  });
});
