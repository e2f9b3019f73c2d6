import type { TestDatabase } from './test-database.js';

/** Of so many changes one is by a rare actor, and one of a rare collector. */
export const rareOnceIn = 10_000;
export const days = 400;

/**
 * A history of so many changes in the last 400 days, the same each time: of twenty states for each, mostly advances by three
 * actors, each with its number a little late. A few are of rare actors, collectors and kinds, evenly spread.
 */
export async function fillWithChanges(database: TestDatabase, changes: number): Promise<void> {
  const states = changes / 20;
  const unit = (id: string, rare: string) =>
    `md5(${id}::text), 'project_id',
     case when ${rare} then 'rare' when ${id} % 10 < 6 then 'gnocchi' else 'prometheus' end, 'keystone'`;
  const client = await database.connect();
  await client.query(`set scopestate.records_history = 'on'`); // filling is nobody's change
  await client.query(
    `insert into cloudkitty_storage_states
       (id, identifier, scope_key, collector, fetcher, last_processed_timestamp)
     select s, ${unit('s', 'false')}, timestamp '2026-06-20' from generate_series(1, $1::int) s`,
    [states],
  );
  await client.query(
    `insert into scopestate_history (
       kind, state_id, identifier, scope_key, collector, fetcher, last_processed_timestamp, active,
       scope_activation_toggle_date, last_advanced_at, version, old_last_processed_timestamp, old_version, old_updated_at,
       recorded_at, actor
     )
     select case when n <= $2 then 'CREATED' when n % 1000 = 1 then 'RESET' else 'ADVANCED' end,
       s, ${unit('s', `n % ${rareOnceIn} = 77`)}, timestamp '2026-06-20', true,
       timestamp '2026-01-01', timestamp '2026-06-20', 1 + n / $2,
       case when n > $2 then timestamp '2026-06-19' end, case when n > $2 then n / $2 end,
       case when n > $2 then timestamp '2026-06-19' end,
       timezone('utc', now()) - ($1 - n) * (interval '${days} days' / $1) - n * 7 % 1000 * interval '1 millisecond',
       case when n % ${rareOnceIn} = 78 then 'alice' else 'collector ' || s % 3 end
     from generate_series(1, $1::int) n, lateral (select n::bigint * 7919 % $2::int + 1 as s) state`,
    [changes, states],
  );
  await client.query('vacuum (analyze) cloudkitty_storage_states, scopestate_history');
}
