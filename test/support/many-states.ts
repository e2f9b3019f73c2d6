import type { TestDatabase } from './test-database.js';

/**
 * A cloud of so many states, the same each time: most of today, some a few days behind, one in 200 up to 400 days; a few
 * inactive, legacy, or of a rare collector, fetcher or scope key. Scope ids are in no order of ids.
 */
export async function fillWithStates(database: TestDatabase, states: number): Promise<void> {
  const client = await database.connect();
  await client.query(`set scopestate.records_history = 'on'`); // no entries: they are not looked at
  await client.query(
    `insert into cloudkitty_storage_states
       (identifier, scope_key, collector, fetcher, last_processed_timestamp, active)
     select md5(n::text),
       case when legacy then null when n % 2000 = 7 then 'cluster' when n % 10 = 3 then 'namespace' else 'project_id' end,
       case when legacy then null when n % 1000 = 8 then 'rare' when n % 10 < 6 then 'gnocchi' else 'prometheus' end,
       case when legacy then null when n % 1500 = 9 then 'source' when n % 2 = 0 then 'keystone' else 'prometheus' end,
       timestamp '2026-06-20 12:00' - case
         when n % 200 = 11 then n % 400 * interval '1 day'
         when n % 50 = 12 then n % 72 * interval '1 hour'
         else n % 3 * interval '1 hour' end,
       n % 200 <> 13
     from (select n, n % 200 = 14 as legacy from generate_series(1, $1::int) n) numbered`,
    [states],
  );
  await client.query('vacuum (analyze) cloudkitty_storage_states');
}
