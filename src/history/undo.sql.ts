import { asItWas, record } from '../scope-state/record.sql.js';
import { micros, table, utcClock } from '../scope-state/row.sql.js';
import { history } from './change-row.sql.js';

const unit = ['identifier', 'scope_key', 'collector', 'fetcher'] as const;

/** Another state than the entry's stands for the unit that undoing would give it. */
function isTaken(columns: readonly string[]): string {
  const [scope, ...others] = columns;
  return `exists (
    select from ${table} t
    where t.identifier = ${scope} and (t.scope_key, t.collector, t.fetcher) is not distinct from (${others.join(', ')})
      and t.id <> e.state_id
  )`;
}

/**
 * The operation's entries, and of each whether its state still is as the operation left it: `$1` is the operation. Whatever
 * has no later entry has not been changed since, not even there and back: a state that came back and was deleted once more
 * looks as after its first deletion. `shown`: which entries `h` there are at all.
 */
const judged = (shown: string) => `
  judged as materialized (
    select e.*,
      not exists (select from ${history} later where later.state_id = e.state_id and later.sequence > e.sequence)
      and case when e.version is null
        then s.id is null and not ${isTaken(unit.map((column) => `e.${column}`))}
        else coalesce(s.version = e.version, false)
          and (e.old_identifier is null or not ${isTaken(unit.map((column) => `e.old_${column}`))})
      end as is_as_left
    from (select * from ${history} h where ${shown}) e left join ${table} s on s.id = e.state_id
  )`;

/** Whether undoing an entry gives a state another timestamp, or makes one. */
const isMoved = '(version is null or old_last_processed_timestamp <> last_processed_timestamp)';

/** `madeAt`: SQL of when the plan was made. */
function verdict(madeAt: string): string {
  const made = micros(madeAt);
  return `
  verdict as materialized (
    select count(sequence) as matched,
      count(*) filter (where not is_as_left) as moved_on,
      coalesce(bool_or(${isMoved} and old_last_processed_timestamp > clock.now), false) as in_future,
      min(operation_size) as size,
      ${made} as made_micros,
      encode(sha256(convert_to(concat_ws(' ', 'undo', $1::uuid, ${made}, count(sequence), sum(sequence)), 'UTF8')), 'hex') as digest,
      ${micros('clock.now')} as now_micros
    from clock left join judged on true group by clock.now
  )`;
}

const clock = `clock as materialized (select ${utcClock} as now)`;

/** What an undo reads: entries `h` of the operation `$1`, or of them only those that fit `more`. */
export function shownEntries(more: string | undefined): string {
  const ofOperation = 'h.operation = $1::uuid';
  return more === undefined ? ofOperation : `${ofOperation} and ${more}`;
}

export const plan = (shown: string) => `/* Undo.plan */
  with ${clock}, ${judged(shown)}, ${verdict('clock.now')} select * from verdict`;

/** In id order, as all locks on states are taken; counted, for a million ids would need memory here. */
export const lock = (shown: string) => `/* Undo.lock */
  select count(*) from (
    select s.id from ${table} s
    where s.id in (select h.state_id from ${history} h where ${shown}) order by s.id for update
  ) locked`;

const author = ['$4::text', '$5::text', '$6::text', '$7::uuid'];

/** `$2`, `$3`: the plan's time and digest. Changes all states of the operation, or none: also where not all are shown. */
export function apply(isOfDeletion: boolean, shown: string): string {
  const changed = isOfDeletion ? restore : setBack;
  const what = isOfDeletion ? 'created' : 'updated';
  return `/* Undo.apply */
  with ${clock}, ${judged(shown)}, ${verdict('$2::timestamp(6)')},
  agreed as materialized (
    select digest = $3::text and matched = size and moved_on = 0 and not in_future as is_agreed from verdict
  ), changed as (${changed}),
  recorded as (${record({ changed: 'changed', what, kind: `'UNDONE'` }, author)})
  select verdict.*, is_agreed, (select count(*) from changed) as changed from verdict, agreed`;
}

/** What a collector knows of a state that was moved is from before: it has to look first. */
const setBack = `
  update ${table} s set
    ${unit.map((column) => `${column} = case when e.old_identifier is null then s.${column} else e.old_${column} end`).join(', ')},
    last_processed_timestamp = e.old_last_processed_timestamp,
    active = coalesce(e.old_active, s.active),
    scope_activation_toggle_date =
      case when e.old_active <> s.active then clock.now else s.scope_activation_toggle_date end,
    moved_by_operator = s.moved_by_operator or e.old_identifier is not null
      or e.old_last_processed_timestamp <> s.last_processed_timestamp,
    version = s.version + 1, revision = s.revision + 1, updated_at = clock.now
  from judged e, ${table} o, agreed, clock
  where s.id = e.state_id and o.id = e.state_id and is_agreed
  returning s.*, ${asItWas}`;

/** Under its own id again. No plan of before the deletion fits it: its revision is larger than any that it had. */
const restore = `
  insert into ${table} (
    id, ${unit.join(', ')}, last_processed_timestamp, active, scope_activation_toggle_date, last_advanced_at,
    version, revision, moved_by_operator, updated_at
  )
  select state_id, ${unit.join(', ')}, last_processed_timestamp, active, scope_activation_toggle_date, last_advanced_at,
    old_version + 1, old_version + 1, true, clock.now
  from judged, agreed, clock where is_agreed order by state_id
  returning *`;

/** The first of its states, in its order: of a million, too, without a look at each. */
export const someStates = (most: number, shown: string) =>
  `select h.state_id from ${history} h where ${shown} order by h.sequence limit ${most}`;

/** The first of its entries whose states have moved on, in its order. */
export const movedOn = (columns: string, most: number, shown: string) => `/* Undo.movedOn */
  with ${judged(shown)} select ${columns} from judged h where not is_as_left order by h.sequence limit ${most}`;
