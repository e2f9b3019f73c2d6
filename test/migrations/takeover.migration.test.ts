import { afterEach, describe, expect, test } from '@jest/globals';
import { runCommand } from '../support/command.js';
import { casesOn, createTestDatabase, postgresMajors, type TestDatabase } from '../support/test-database.js';
import type { DatabaseWanted } from '../support/test-database.js';
import { failingServer } from '../support/test-server.js';
import { catalogOf, dumps, everything, insertAsCloudKitty, rowsOf } from './layout.js';

const databases: TestDatabase[] = [];

afterEach(async () => {
  for (const database of databases.splice(0)) await database.drop();
});

async function newDatabase(wanted: DatabaseWanted): Promise<TestDatabase> {
  const database = await createTestDatabase(wanted);
  databases.push(database);
  return database;
}

function migrate({ url }: TestDatabase, ...words: string[]) {
  return runCommand(['migrate', ...words], { env: { DATABASE_URL: url } });
}

async function migrated(wanted: DatabaseWanted): Promise<TestDatabase> {
  const database = await newDatabase(wanted);
  expect(await migrate(database, 'up')).toMatchObject({ code: 0, err: '' });
  return database;
}

describe.each(postgresMajors)('on PostgreSQL %i', (major) => {
  test.each(casesOn(major, dumps))('$dump is taken over with its $rows rows', async ({ dump, rows }) => {
    const database = await newDatabase({ major, dump });
    const before = await rowsOf(database);
    expect(before).toHaveLength(rows);
    const up = await migrate(database, 'up');
    expect(up).toMatchObject({ code: 0, err: '' });
    expect(up.out).toMatch(/\d+ migrations applied\.\n$/);

    const columnsNotThereYet = { scope_key: null, collector: null, fetcher: null, active: true };
    const ours = { version: 1, revision: 1, moved_by_operator: false, last_advanced_at: null };
    expect(await rowsOf(database)).toEqual(
      before.map((row) => ({
        ...columnsNotThereYet,
        scope_activation_toggle_date: expect.any(String),
        ...row,
        ...ours,
        last_processed_day: String(row.last_processed_timestamp).slice(0, 'YYYY-MM-DD'.length),
        updated_at: expect.any(String),
      })),
    );

    const fromNothing = await newDatabase({ major });
    const tables = '^(cloudkitty_storage_states|scopestate_)';
    expect(await catalogOf(database, tables)).toEqual(await catalogOf(fromNothing, tables));

    const highest = before.reduce((most, row) => Math.max(most, row['id'] as number), 0);
    expect(await database.query(insertAsCloudKitty)).toEqual([{ id: highest + 1 }]);
  });

  test.each(casesOn(major, dumps))(
    '$dump ends with CloudKitty’s own tables as its head has them',
    async ({ dump }) => {
      const [database, head] = [
        await migrated({ major, dump }),
        await newDatabase({ major, dump: 'head.sql' }),
      ];
      expect(await catalogOf(database, '^storage_')).toEqual(await catalogOf(head, '^storage_'));
      expect(await database.query('select * from storage_states_alembic')).toEqual([
        { version_num: '9feccd32' },
      ]);
    },
  );

  test('a database that CloudKitty has not been in gets none of its other tables', async () => {
    const database = await migrated({ major, empty: true });
    expect((await catalogOf(database, '^storage_')).columns).toEqual([]);
  });

  test('CloudKitty’s other tables are left as they are', async () => {
    const database = await newDatabase({ major, dump: 'head-populated.sql' });
    const others = '^(storage_scope|storage_states)';
    const [before, schedules] = [
      await catalogOf(database, others),
      await database.query('select * from storage_scope_reprocessing_schedule order by id'),
    ];
    expect(schedules).toHaveLength(3);
    expect(await migrate(database, 'up')).toMatchObject({ code: 0 });
    expect(await catalogOf(database, others)).toEqual(before);
    expect(await database.query('select * from storage_scope_reprocessing_schedule order by id')).toEqual(
      schedules,
    );
    expect(await database.query('select * from storage_states_alembic')).toEqual([
      { version_num: '9feccd32' },
    ]);
  });

  test('a second migrate up does nothing', async () => {
    const database = await migrated({ major, dump: 'head-populated.sql' });
    const before = await everything(database);
    expect(await migrate(database, 'up')).toEqual({ code: 0, out: 'Nothing is pending.\n', err: '' });
    expect(await everything(database)).toEqual(before);
  });

  test('several rows of one unit stop the migration and are listed, and nothing is changed', async () => {
    const database = await withDuplicates(major);
    const before = await everything(database);
    const refused = await migrate(database, 'up');
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(idsListed(refused.err)).toEqual([9, 101, 102, 103]);
    expect(refused.err).toContain('--on-duplicate keep-earliest');
    expect(refused.err).not.toMatch(/\n +at /);
    expect(await everything(database)).toEqual(before);
  });

  test.each([
    { rule: 'keep-earliest', stays: { id: 102, at: '2018-01-01T00:00:00' }, dropped: [9, 101, 103] },
    { rule: 'keep-latest', stays: { id: 101, at: '2020-01-01T00:00:00.000001' }, dropped: [9, 102, 103] },
  ])(
    '--on-duplicate $rule keeps one row of a unit and lists the others',
    async ({ rule, stays, dropped }) => {
      const database = await withDuplicates(major);
      const before = await rowsOf(database);
      const resolved = await migrate(database, 'up', '--on-duplicate', rule);
      expect(resolved).toMatchObject({ code: 0, err: '' });
      expect(idsListed(resolved.out)).toEqual(dropped);

      const after = await rowsOf(database);
      expect(after.map(({ id }) => id)).toEqual(
        before.map(({ id }) => id).filter((id) => !dropped.includes(id as number)),
      );
      expect(after.filter(({ identifier }) => identifier === 'AAAA')).toMatchObject([
        { id: stays.id, last_processed_timestamp: stays.at },
      ]);
      expect(await database.query(insertAsCloudKitty)).toEqual([{ id: stays.id + 1 }]);
    },
  );

  test('rows with a time that no answer can hold stop the migration and are listed', async () => {
    const database = await newDatabase({ major, dump: 'head-from-legacy.sql' });
    await database.query(`
      update cloudkitty_storage_states set last_processed_timestamp = case id
        when 2 then 'infinity' when 3 then '1969-12-31 23:59:59.999999' when 5 then '-infinity'
        else '1970-01-01' end::timestamp where id in (2, 3, 4, 5)`);
    await database.query(
      `update cloudkitty_storage_states set scope_activation_toggle_date = '10000-01-01' where id = 7`,
    );
    const before = await everything(database);
    const refused = await migrate(database, 'up');
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(idsListed(refused.err)).toEqual([2, 3, 5, 7]);
    expect(refused.err).not.toMatch(/\n +at /);
    expect(await everything(database)).toEqual(before);
  });

  test.each(['read committed', 'serializable'])(
    'of two migrate up at once, under %s, one applies everything and the other nothing',
    async (isolation) => {
      const database = await newDatabase({ major, dump: 'legacy-initial.sql' });
      await database.query(
        `do $$ begin execute format('alter database %I set default_transaction_isolation = %L',
           current_database(), '${isolation}'); end $$`,
      );
      const gate = await database.connect();
      await gate.query('select pg_advisory_lock(7226118403201)');
      const both = [migrate(database, 'up'), migrate(database, 'up')];
      await waitForWaiting(database, 2);
      await gate.query('select pg_advisory_unlock(7226118403201)');
      const results = await Promise.all(both);
      expect(results.map(({ code, err }) => ({ code, err }))).toEqual([
        { code: 0, err: '' },
        { code: 0, err: '' },
      ]);
      const outputs = results.map(({ out }) => out).sort((one, other) => one.length - other.length);
      expect(outputs).toEqual(['Nothing is pending.\n', expect.stringContaining(' migrations applied.')]);
      const names = await database.query('select name from scopestate_migrations order by name');
      const fromNothing = await newDatabase({ major });
      expect(names).toEqual(await fromNothing.query('select name from scopestate_migrations order by name'));
    },
  );

  test('a schema newer than this version is refused in one line', async () => {
    const database = await newDatabase({ major });
    await database.query(`insert into scopestate_migrations (name) values ('20990101000000_of_tomorrow')`);
    const before = await everything(database);
    const line = /^scopestate: [^\n]*20990101000000_of_tomorrow[^\n]*$/;
    const up = await migrate(database, 'up');
    expect(up).toMatchObject({ code: 1, out: '' });
    expect(up.err.trimEnd()).toMatch(line);
    const served = await failingServer({ DATABASE_URL: database.url });
    expect(served).toEqual({ code: 1, lines: [expect.stringMatching(line)] });
    expect(await everything(database)).toEqual(before);
  });
});

/** CloudKitty's head lets several legacy rows of one scope id stand beside each other. */
async function withDuplicates(major: 15 | 18): Promise<TestDatabase> {
  const database = await newDatabase({ major, dump: 'head-from-legacy.sql' });
  const row = (id: number, at: string) => `(${id}, 'AAAA', null, null, null, '${at}', now(), true)`;
  await database.query(`insert into cloudkitty_storage_states values
    ${row(101, '2020-01-01 00:00:00.000001')}, ${row(102, '2018-01-01')}, ${row(103, '2020-01-01')}`);
  return database;
}

function idsListed(output: string): number[] {
  return [...output.matchAll(/\{.*\}/g)]
    .map(([json]) => (JSON.parse(json) as { id: number }).id)
    .sort((one, other) => one - other);
}

async function waitForWaiting(database: TestDatabase, sessions: number): Promise<void> {
  for (;;) {
    const waiting = await database.query(
      `select from pg_locks l join pg_database d on d.oid = l.database
       where d.datname = current_database() and locktype = 'advisory' and not granted`,
    );
    if (waiting.length === sessions) return;
  }
}
