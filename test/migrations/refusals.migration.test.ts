import { afterEach, expect, test } from '@jest/globals';
import { runCommand } from '../support/command.js';
import { createTestDatabase, type DatabaseWanted, type TestDatabase } from '../support/test-database.js';
import { everything } from './layout.js';

const databases: TestDatabase[] = [];

afterEach(async () => {
  for (const database of databases.splice(0)) await database.drop();
});

async function newDatabase(wanted: DatabaseWanted): Promise<TestDatabase> {
  const database = await createTestDatabase(wanted);
  databases.push(database);
  return database;
}

const migrate = ({ url }: TestDatabase, ...words: string[]) =>
  runCommand(['migrate', ...words], { env: { DATABASE_URL: url } });

test.each(['c50ed2c19204-legacy-rows.sql', '750d3050cf71-legacy-rows.sql', 'head-populated.sql'])(
  'a dry run on %s tells what it would do, and changes nothing',
  async (dump) => {
    const database = await newDatabase({ dump });
    const before = await everything(database);
    const { code, out, err } = await migrate(database, 'up', '--dry-run');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^applied {3}2018\d+_create_storage_states$/m);
    expect(out).toMatch(/\n\d+ migrations applied, and taken back: this was a dry run\.\n$/);
    expect(await everything(database)).toEqual(before);
  },
);

test('a dry run finds what would stop the migration', async () => {
  const database = await newDatabase({ dump: 'head-from-legacy.sql' });
  await database.query(`insert into cloudkitty_storage_states select 99, identifier, null, null, null,
    last_processed_timestamp, now(), true from cloudkitty_storage_states where id = 1`);
  const before = await everything(database);
  const refused = await migrate(database, 'up', '--dry-run');
  expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringContaining('--on-duplicate') });
  const resolved = await migrate(database, 'up', '--dry-run', '--on-duplicate', 'keep-latest');
  expect(resolved).toMatchObject({ code: 0, out: expect.stringMatching(/^dropped {3}\{"id":(1|99),/) });
  expect(await everything(database)).toEqual(before);
});

test.each(['cloudkitty_storage_states', 'scopestate_history'])(
  '%s in use stops the migration after --lock-timeout, with nothing changed',
  async (table) => {
    const database = await newDatabase({});
    await database.query(
      'delete from scopestate_migrations where id = (select max(id) from scopestate_migrations)',
    );
    const before = await everything(database);
    const other = await database.connect();
    await other.query('begin');
    await other.query(`select from ${table} limit 1`);
    const refused = await migrate(database, 'up', '--lock-timeout', 'PT0.3S');
    expect(refused).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(
        /^scopestate: other sessions have used cloudkitty_storage_states or scopestate_history for PT0\.3S .*--lock-timeout\n$/,
      ),
    });
    await other.query('rollback');
    expect(await everything(database)).toEqual(before);
    expect(await migrate(database, 'up', '--lock-timeout', 'PT0.3S')).toMatchObject({ code: 0 });
  },
);

test('a table of CloudKitty’s that is in use stops its takeover', async () => {
  const database = await newDatabase({ dump: 'head-populated.sql' });
  const before = await everything(database);
  const other = await database.connect();
  await other.query('begin');
  await other.query('select from cloudkitty_storage_states limit 1');
  const refused = await migrate(database, 'up', '--lock-timeout', 'PT0.3S');
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('cloudkitty_storage_states') });
  await other.query('rollback');
  expect(await everything(database)).toEqual(before);
  expect(await migrate(database, 'up', '--lock-timeout', 'PT0.3S')).toMatchObject({ code: 0 });
});

test.each(['PT0S', 'P25D', '5', 'soon'])('--lock-timeout %s is refused', async (text) => {
  const { code, err } = await runCommand(['migrate', 'up', '--lock-timeout', text]);
  expect({ code, err }).toEqual({
    code: 2,
    err: expect.stringMatching(/--lock-timeout.*Allowed: .*PT30S\.\n$/),
  });
});

test('texts that are too long stop the migration and are listed, and nothing is changed', async () => {
  const database = await newDatabase({ dump: 'head-populated.sql' });
  await database.query(`alter table cloudkitty_storage_states
    alter column identifier type text, alter column collector type text`);
  await database.query(`update cloudkitty_storage_states set identifier = repeat('ä', 257) where id = 3`);
  await database.query(`update cloudkitty_storage_states set collector = repeat('x', 41) where id = 12`);
  const before = await everything(database);
  const refused = await migrate(database, 'up');
  expect(refused).toMatchObject({ code: 1, out: '' });
  expect(refused.err.split('\n').slice(1, 3)).toEqual([
    expect.stringContaining('{"id":3,"identifier":257,'),
    expect.stringContaining('{"id":12,'),
  ]);
  expect(await everything(database)).toEqual(before);
});

test('a revision of a newer CloudKitty stops the migration', async () => {
  const database = await newDatabase({ dump: 'head-populated.sql' });
  await database.query(`update storage_states_alembic set version_num = 'abcdef012345'`);
  const before = await everything(database);
  expect(await migrate(database, 'up')).toEqual({
    code: 1,
    out: '',
    err: expect.stringMatching(
      /^scopestate: [^\n]*storage_states_alembic: found the revision abcdef012345; allowed: [^\n]*9feccd32[^\n]*\n$/,
    ),
  });
  expect(await everything(database)).toEqual(before);
});
