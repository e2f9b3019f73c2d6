import { durable, setLocal, Settings } from '../database/settings.js';
import { advancingAsItWas, keptAsItWas, record } from './record.sql.js';
import { stamp, table, utcClock } from './row.sql.js';
import { given, isOfUnit } from './unit-match.sql.js';

/** What the statements are sent behind, as transactions begin with it. */
export function settingsOf(timeoutMillis: number): Settings {
  return new Settings('PlainAdvances.settings', [
    setLocal('statement_timeout', timeoutMillis),
    setLocal('scopestate.records_history', 'on'),
    durable,
  ]);
}

/** The last line of DESIGN.md 2.3, of `s`, a row that is the unit's own. */
function goesForward(at: string, expected: string): string {
  return `s.active
        and coalesce(${expected} = s.last_processed_timestamp, not s.moved_by_operator)
        and s.last_processed_timestamp < ${at}`;
}

/** What is set of `s`, by a clock. */
function advanced(at: string, now: string): string {
  return `last_processed_timestamp = ${at}, moved_by_operator = false, version = s.version + 1,
        updated_at = ${now}, last_advanced_at = ${now}`;
}

const entries = (actor: string, requestId: string) =>
  record({ changed: 'changed', what: 'advanced', kind: `'ADVANCED'` }, [actor, requestId]);

/** What of `s`, an advanced row, its advance does not tell, with spaces in between: `placesTold` says where. */
const told = (place: string) =>
  `concat_ws(' ', ${place}, s.id, s.version, s.revision, ${stamp('s.scope_activation_toggle_date')})`;

export const placesTold = { place: 0, id: 1, version: 2, revision: 3, toggled: 4 } as const;

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
 * Advances of units that have a row of their own, as a transaction of one statement: the lock, the decision, the write and
 * its entry (docs/adr/0019-group-commit.md). No unit twice, unless they are one whole, which has one caller, said once. An actor who
 * has sent all of them is said once, too.
 *
 * `mine` has the rows as they are now, not as the statement's snapshot has them: a lock that comes after another's change
 * looks at the row again, and so does the update of a row that is locked. The clock is read when all are locked.
 */
export const advancePlain = {
  name: 'PlainAdvances.advance',
  text: `/* PlainAdvances.advance */
    with mine as materialized (
      select s.id, asked.place, asked.at, coalesce(asked.actor, $7[1]) as actor,
        coalesce(asked.request_id, $8[1]) as request_id, ${advancingAsItWas('s')}
      from ${advancesAsked} join ${table} s using (identifier, scope_key, collector, fetcher)
      where ${goesForward('asked.at', 'asked.expected')}
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
      update ${table} s set ${advanced('mine.at', 'clock.now')}
      from mine, clock
      where s.id = mine.id and mine.at <= clock.now
      returning s.*, mine.place, mine.actor, mine.request_id, ${keptAsItWas('mine')}
    ), recorded as (
      ${entries('c.actor', 'c.request_id')}
    )
    select string_agg(${told('s.place')}, ',') as advanced, ${stamp('min(s.updated_at)')} as updated,
      1 / (not ${isWhole} or count(*) in (0, cardinality($1)))::int as or_none
    from changed s`,
};

/**
 * The same of one unit, at three quarters of the cost: no lists. Its clock is read with the row, just before the lock; a row that
 * another changed in between is looked at again, and so is the clock.
 */
export const advancePlainOne = {
  name: 'PlainAdvances.one',
  text: `/* PlainAdvances.one */
    with mine as materialized (
      select s.id, ${utcClock} as now, ${advancingAsItWas('s')}
      from ${table} s
      where ${isOfUnit}
        and ${goesForward('$5::timestamp(6)', '$6::timestamp(6)')}
      for update skip locked
    ), changed as (
      update ${table} s set ${advanced('$5::timestamp(6)', 'mine.now')}
      from mine
      where s.id = mine.id and $5::timestamp(6) <= mine.now
      returning s.*, ${keptAsItWas('mine')}
    ), recorded as (
      ${entries('$7', '$8')}
    )
    select ${told('1')} as advanced, ${stamp('s.updated_at')} as updated from changed s`,
};
