import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { migrateUp } from '../support/command.js';
import { createTestDatabase, postgresMajors, type TestDatabase } from '../support/test-database.js';
import { unit } from '../support/units.js';

interface Row {
  id: number;
  version: number;
  revision: number;
  moved_by_operator: boolean;
  updated_at: string;
  last_advanced_at: string | null;
  scope_activation_toggle_date: string;
  active: boolean;
  zone: string;
}

const long = '2001-01-01T00:00:00';

/** What CloudKitty itself does to its table: it knows nothing of versions. */
describe.each(postgresMajors)('on PostgreSQL %i', (major) => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase({ major });
  });

  afterAll(() => database.drop());

  /** A row of long ago, so that every write time that is set anew is told from the one before. */
  async function insertOld(): Promise<Row> {
    const [row] = await database.query<{ id: number }>(
      `insert into cloudkitty_storage_states
         (identifier, scope_key, collector, fetcher, last_processed_timestamp, updated_at, version, revision)
       values ($1, 'project_id', 'gnocchi', 'keystone', '2020-01-01', '${long}', 7, 5) returning id`,
      [unit().scopeId],
    );
    return rowOf(row!.id);
  }

  async function rowOf(id: number): Promise<Row> {
    const [found] = await database.query<{ row: Row }>(
      'select to_jsonb(s) as row from cloudkitty_storage_states s where id = $1',
      [id],
    );
    return found!.row;
  }

  async function update(id: number, set: string): Promise<Row> {
    await database.query(`update cloudkitty_storage_states set ${set} where id = $1`, [id]);
    return rowOf(id);
  }

  async function secondsAgo(time: string | null): Promise<number> {
    const [{ ago } = { ago: NaN }] = await database.query<{ ago: number }>(
      `select extract(epoch from timezone('utc', clock_timestamp()) - $1::timestamp)::float8 as ago`,
      [time],
    );
    return ago;
  }

  async function expectNow(time: string | null): Promise<void> {
    expect(time).not.toBeNull();
    const ago = await secondsAgo(time);
    expect(ago).toBeGreaterThanOrEqual(0);
    expect(ago).toBeLessThan(60);
  }

  test('a move forward raises the version and counts as an advance, not as a revision', async () => {
    const { id } = await insertOld();
    const after = await update(id, `last_processed_timestamp = '2020-01-01 00:00:00.000001'`);
    expect(after).toMatchObject({ version: 8, revision: 5, last_advanced_at: after.updated_at });
    await expectNow(after.updated_at);
  });

  test.each([
    ['back', `last_processed_timestamp = '2019-12-31 23:59:59.999999'`],
    ['forward together with a flag', `last_processed_timestamp = '2021-01-01', active = false`],
    ['forward of another unit', `last_processed_timestamp = '2021-01-01', collector = 'monasca'`],
  ])('a move %s raises version and revision, and is no advance', async (_which, set) => {
    const { id } = await insertOld();
    const after = await update(id, set);
    expect(after).toMatchObject({ version: 8, revision: 6, last_advanced_at: null });
    await expectNow(after.updated_at);
  });

  test.each([
    `active = false`,
    `scope_activation_toggle_date = '2020-02-02'`,
    `identifier = identifier || '-renamed'`,
    `scope_key = null`,
    `collector = 'monasca'`,
    `fetcher = 'source'`,
  ])('the change %s raises version and revision', async (set) => {
    const { id } = await insertOld();
    const after = await update(id, set);
    expect(after).toMatchObject({ version: 8, revision: 6, last_advanced_at: null });
    await expectNow(after.updated_at);
  });

  test('an update that changes nothing is none', async () => {
    const before = await insertOld();
    const after = await update(
      before.id,
      `last_processed_timestamp = last_processed_timestamp, active = true, collector = 'gnocchi'`,
    );
    expect(after).toEqual(before);
  });

  test('a statement on many rows counts on each row that it changes', async () => {
    const [one, other] = [await insertOld(), await insertOld()];
    await update(other.id, 'active = false');
    await database.query('update cloudkitty_storage_states set active = false where id in ($1, $2)', [
      one.id,
      other.id,
    ]);
    expect(await rowOf(one.id)).toMatchObject({ version: 8 });
    expect(await rowOf(other.id)).toMatchObject({ version: 8 });
  });

  const ours = `version = 1, revision = 1, moved_by_operator = true, updated_at = 'infinity', last_advanced_at = '-infinity'`;

  test('a writer that sets what is ours, and nothing else, changes nothing', async () => {
    const before = await insertOld();
    expect(await update(before.id, ours)).toEqual(before);
    expect(await update(before.id, 'version = version + 1')).toEqual(before);
  });

  test.each([ours, 'version = version + 1', 'version = 2147483647', 'version = null'])(
    'a writer that sets %s beside the rest is counted as the others are',
    async (set) => {
      const { id } = await insertOld();
      const back = await update(id, `${set}, last_processed_timestamp = '2019-01-01'`);
      expect(back).toMatchObject({ version: 8, revision: 6, last_advanced_at: null });
      await expectNow(back.updated_at);
      const onward = await update(id, `${set}, last_processed_timestamp = '2021-01-01'`);
      expect(onward).toMatchObject({ version: 9, revision: 6, last_advanced_at: onward.updated_at });
    },
  );

  test('a row that is put in keeps what it says of itself, as far as that can be answered', async () => {
    const put = async (values: string) => {
      const [row] = await database.query<{ id: number }>(
        `insert into cloudkitty_storage_states
           (identifier, last_processed_timestamp, version, revision, updated_at, last_advanced_at)
         values ($1, '2020-01-01', ${values}) returning id`,
        [unit().scopeId],
      );
      return rowOf(row!.id);
    };
    expect(await put(`7, 5, '${long}', '2002-03-04'`)).toMatchObject({
      version: 7,
      revision: 5,
      updated_at: long,
      last_advanced_at: '2002-03-04T00:00:00',
    });
    const settled = await put(`2147483647, -5, 'infinity', '294276-01-01'`);
    expect(settled).toMatchObject({ version: 1_000_000_000, revision: 1, last_advanced_at: null });
    await expectNow(settled.updated_at);
    await expectNow((await put(`1, 1, '-infinity', '-infinity'`)).updated_at);
  });

  test('rows that were set so before are mended by the migration, and nothing is said of it', async () => {
    const [sound, one, other] = [await insertOld(), await insertOld(), await insertOld()];
    await database.writeAsOurs(
      `update cloudkitty_storage_states set updated_at = 'infinity', last_advanced_at = '-infinity' where id = $1`,
      [one.id],
    );
    await database.writeAsOurs(
      `update cloudkitty_storage_states set last_advanced_at = '294276-01-01', version = 2147483647, revision = 2147483647
       where id = $1`,
      [other.id],
    );
    const entries = 'select count(*) from scopestate_history';
    const before = await database.query(entries);
    await database.query(
      `delete from scopestate_migrations where name = '20261128000200_keep_what_is_ours_from_other_writers'`,
    );
    await migrateUp(database.url);
    expect(await rowOf(sound.id)).toEqual(sound);
    const settled = await rowOf(other.id);
    expect(settled).toEqual({ ...other, version: 1_000_000_000, revision: 1_000_000_000 });
    const mended = await rowOf(one.id);
    expect(mended).toEqual({ ...one, updated_at: mended.updated_at });
    await expectNow(mended.updated_at);
    expect(await database.query(entries)).toEqual(before);
    expect(await update(other.id, 'active = false')).toMatchObject({ version: 1_000_000_001 });
  });

  test('a row inserted with CloudKitty’s columns only gets the rest by default', async () => {
    const [row] = await database.query<{ id: number }>(
      `insert into cloudkitty_storage_states
         (identifier, scope_key, collector, fetcher, last_processed_timestamp, scope_activation_toggle_date, active)
       values ($1, null, null, null, '2020-01-01', '2020-02-02', false) returning id`,
      [unit().scopeId],
    );
    const inserted = await rowOf(row!.id);
    expect(inserted).toMatchObject({
      version: 1,
      revision: 1,
      moved_by_operator: false,
      last_advanced_at: null,
      scope_activation_toggle_date: '2020-02-02T00:00:00',
      active: false,
    });
    await expectNow(inserted.updated_at);
  });

  test('the defaults are in UTC and the version counts, whatever the session’s time zone and date style', async () => {
    const client = await database.connect();
    await client.query(`set timezone = 'America/St_Johns'; set datestyle = 'SQL, DMY'`);
    const { rows } = await client.query<{ id: number }>(
      `insert into cloudkitty_storage_states (identifier, last_processed_timestamp) values ($1, '2020-01-01') returning id`,
      [unit().scopeId],
    );
    const inserted = await rowOf(rows[0]!.id);
    expect(inserted).toMatchObject({ active: true, version: 1 });
    await expectNow(inserted.scope_activation_toggle_date);
    await expectNow(inserted.updated_at);
    await client.query(
      `update cloudkitty_storage_states set last_processed_timestamp = '2021-01-01' where id = $1`,
      [inserted.id],
    );
    await expectNow((await rowOf(inserted.id)).last_advanced_at);
  });

  test('two legacy rows of one scope id, or two rows of one unit, are refused', async () => {
    const { scopeId } = unit();
    const insert = (columns: string) =>
      database.query(
        `insert into cloudkitty_storage_states (identifier, scope_key, collector, fetcher, last_processed_timestamp)
         values ($1, ${columns}, '2020-01-01')`,
        [scopeId],
      );
    for (const columns of [
      'null, null, null',
      `null, 'gnocchi', null`,
      `'project_id', 'gnocchi', 'keystone'`,
    ]) {
      await insert(columns);
      await expect(insert(columns)).rejects.toMatchObject({
        code: '23505',
        constraint: 'uq_cloudkitty_storage_states_identifier',
      });
    }
  });
});
