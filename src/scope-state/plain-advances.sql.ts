import { record } from './record.sql.js';
import { stamp, table, utcClock } from './row.sql.js';
import { given } from './unit-match.sql.js';

/** Whether none is done unless all are; a part of them fails (`or_none`). */
const isWhole = '$9::boolean';

const asked = [
  ['identifier', 'text'],
  ['scope_key', 'text'],
  ['collector', 'text'],
  ['fetcher', 'text'],
  ['at', 'timestamp(6)'],
  ['expected', 'timestamp(6)'],
  ['actor', 'text'],
  ['request_id', 'text'],
] as const;

const advancesAsked = `
  unnest(${asked.map(([, type], place) => given(`$${place + 1}`, `${type}[]`)).join(', ')})
  with ordinality as asked (${asked.map(([column]) => column).join(', ')}, place)`;

/**
 * The last line of DESIGN.md 2.3 for units that have a row of their own, as a transaction of one statement: the lock, the
 * decision, the write and its entry (docs/adr/0019-group-commit.md). No unit twice, unless they are one whole.
 *
 * A whole has one caller, said once. `mine` has the rows as they are now, not as the statement's snapshot has them: a lock that comes after another's change
 * looks at the row again, and so does the update of a row that is locked. The clock is read when all are locked.
 */
export const advancePlain = {
  name: 'PlainAdvances.advance',
  text: `/* PlainAdvances.advance */
    with settings as materialized (
      select set_config('scopestate.records_history', 'on', true) as records_history,
        case when current_setting('synchronous_commit') = 'off' then set_config('synchronous_commit', 'on', true) end
    ), mine as materialized (
      select s.id, asked.place, asked.at, coalesce(asked.actor, $7[1]) as actor,
        coalesce(asked.request_id, $8[1]) as request_id, s.version as old_version,
        s.last_processed_timestamp as old_last_processed_timestamp, s.last_advanced_at as old_last_advanced_at,
        s.updated_at as old_updated_at
      from settings, ${advancesAsked} join ${table} s using (identifier, scope_key, collector, fetcher)
      where settings.records_history = 'on'
        and s.active
        and coalesce(asked.expected = s.last_processed_timestamp, not s.moved_by_operator)
        and s.last_processed_timestamp < asked.at
      order by s.id
      for update of s skip locked
    ), clock as materialized (
      select now
      from (
        select ${utcClock} as now, rows, latest
        from (select count(distinct id) as rows, max(at) as latest from mine) locked
        where rows > 0
      ) looked
      where not ${isWhole} or (rows = cardinality($1) and latest <= now)
    ), changed as (
      update ${table} s set
        last_processed_timestamp = mine.at,
        moved_by_operator = false,
        version = s.version + 1,
        updated_at = clock.now,
        last_advanced_at = clock.now
      from mine, clock
      where s.id = mine.id and mine.at <= clock.now
      returning s.*, mine.place, mine.actor, mine.request_id, mine.old_version,
        mine.old_last_processed_timestamp, mine.old_last_advanced_at, mine.old_updated_at
    ), recorded as (
      ${record({ changed: 'changed', what: 'advanced', kind: `'ADVANCED'` }, ['c.actor', 'c.request_id'])}
    )
    select s.id, s.place, s.version, s.revision, ${stamp('s.scope_activation_toggle_date')} as toggled_stamp,
      ${stamp('s.updated_at')} as updated_stamp,
      1 / (not ${isWhole} or (select count(*) from changed) = cardinality($1))::int as or_none
    from changed s`,
};
