import type { TestDatabase } from '../support/test-database.js';

/** Every row of CloudKitty's table as JSON, whose times are exact; the state's column under its latest name. */
export async function rowsOf(database: TestDatabase): Promise<Record<string, unknown>[]> {
  const rows = await database.query<{ row: Record<string, unknown> }>(
    'select to_jsonb(s) as row from cloudkitty_storage_states s order by id',
  );
  return rows.map(({ row: { state, ...row } }) => ({
    ...row,
    last_processed_timestamp: row['last_processed_timestamp'] ?? state,
  }));
}

/** What the catalog says of the tables whose name is like `tables`, by name: the order of columns is left out. */
export async function catalogOf(database: TestDatabase, tables: string) {
  const list = (statement: string) =>
    database.query(
      statement.replaceAll('TABLES', `c.relnamespace = 'public'::regnamespace and c.relname ~ $1`),
      [tables],
    );
  return {
    columns: await list(
      `select c.relname, attname, format_type(atttypid, atttypmod), attcollation::regcollation::text, attnotnull,
              attidentity, attgenerated, pg_get_expr(adbin, adrelid), col_description(c.oid, attnum)
       from pg_class c join pg_attribute a on attrelid = c.oid and attnum > 0 and not attisdropped
       left join pg_attrdef on adrelid = c.oid and adnum = attnum where c.relkind = 'r' and TABLES order by 1, 2`,
    ),
    // PostgreSQL 18 names NOT NULL constraints, after the column as it was called at birth: see attnotnull instead.
    constraints: await list(
      `select c.relname, conname, pg_get_constraintdef(k.oid), convalidated
       from pg_constraint k join pg_class c on conrelid = c.oid where contype <> 'n' and TABLES order by 1, 2`,
    ),
    indexes: await list(
      `select pg_get_indexdef(c.oid), reloptions from pg_class c where relkind = 'i' and TABLES order by 1`,
    ),
    triggers: await list(
      `select pg_get_triggerdef(t.oid), pg_get_functiondef(tgfoid), tgenabled
       from pg_trigger t join pg_class c on tgrelid = c.oid where TABLES order by 1`,
    ),
    sequences: await list(
      `select c.relname, seqtypid::regtype::text, seqstart, seqincrement, seqmin, seqmax, seqcycle,
              refobjid::regclass::text as owner, deptype, attname
       from pg_class c join pg_sequence on seqrelid = c.oid
       left join pg_depend on classid = 'pg_class'::regclass and objid = c.oid and refobjsubid > 0
       left join pg_attribute on attrelid = refobjid and attnum = refobjsubid where TABLES order by 1`,
    ),
    tables: await list(
      `select c.relname, c.relpersistence, c.reloptions, c.relnatts from pg_class c
       where c.relkind = 'r' and TABLES and c.relname <> 'cloudkitty_storage_states' order by 1`,
    ),
  };
}

/** All that a migration could change, the sequences' state too, which no rollback brings back once it is set. */
export async function everything(database: TestDatabase) {
  return {
    rows: await rowsOf(database),
    catalog: await catalogOf(database, ''),
    sequences: await database.query('select sequencename, last_value from pg_sequences order by 1'),
    domains: await database.query(
      'select contypid::regtype::text, conname, pg_get_constraintdef(oid) from pg_constraint where contypid <> 0 order by 1, 2',
    ),
    others: await otherRows(database),
  };
}

/** As CloudKitty's own code inserts: it names its own columns, and all of them. */
export const insertAsCloudKitty = `
  insert into cloudkitty_storage_states
    (identifier, scope_key, collector, fetcher, last_processed_timestamp, scope_activation_toggle_date, active)
  values ('new', 'project_id', 'gnocchi', 'keystone', '2026-01-01', '2026-01-01', true) returning id`;

export const dumps = [
  { dump: 'legacy-initial.sql', rows: 10 },
  { dump: 'd9d103dd4dcf-schema.sql', rows: 0 },
  { dump: 'd9d103dd4dcf-legacy-rows.sql', rows: 10 },
  { dump: 'c50ed2c19204-legacy-rows.sql', rows: 10 },
  { dump: '750d3050cf71-legacy-rows.sql', rows: 10 },
  { dump: '4d69395f-legacy-rows.sql', rows: 10 },
  { dump: 'head.sql', rows: 0 },
  { dump: 'head-from-legacy.sql', rows: 10 },
  { dump: 'head-populated.sql', rows: 22 },
];

/** The rows of all tables but the one of states, as text. */
async function otherRows(database: TestDatabase): Promise<Record<string, unknown[]>> {
  const tables = await database.query<{ name: string }>(
    `select relname as name from pg_class
     where relnamespace = 'public'::regnamespace and relkind = 'r' and relname <> 'cloudkitty_storage_states' order by 1`,
  );
  const rows: Record<string, unknown[]> = {};
  for (const { name } of tables)
    rows[name] = await database.query(`select t::text from ${name} t order by 1`);
  return rows;
}
