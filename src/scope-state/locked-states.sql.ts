import type { Change } from './locked-states.rules.js';
import { asItWas, isOfAnotherUnit, record } from './record.sql.js';
import { stamp, rowColumns, table, toTimestamp, utcClock } from './row.sql.js';
import { given, idsOfCandidates } from './unit-match.sql.js';

/** One array a column, for `changesGiven`. */
export function columnsOf(changes: Change[]): unknown[] {
  const rows = changes.map(({ after }) => after);
  return [
    rows.map((row) => row.id),
    rows.map((row) => row.scopeId),
    rows.map((row) => row.scopeKey),
    rows.map((row) => row.collector),
    rows.map((row) => row.fetcher),
    rows.map((row) => toTimestamp(row.lastProcessedTimestamp)),
    rows.map((row) => row.active),
    rows.map((row) => row.version),
    rows.map((row) => row.revision),
    rows.map((row) => row.movedByOperator),
    changes.map((change) => change.advanced),
    changes.map((change) => change.by.caller),
    changes.map((change) => change.by.requestId),
  ];
}

const changed = [
  ['id', 'int'],
  ['identifier', 'text'],
  ['scope_key', 'text'],
  ['collector', 'text'],
  ['fetcher', 'text'],
  ['last_processed_timestamp', 'timestamp(6)'],
  ['active', 'boolean'],
  ['version', 'int'],
  ['revision', 'int'],
  ['moved_by_operator', 'boolean'],
  ['advanced', 'boolean'],
  ['actor', 'text'],
  ['request_id', 'text'],
] as const;

const changesGiven = `
  unnest(${changed.map(([, type], place) => given(`$${place + 1}`, `${type}[]`)).join(', ')})
  with ordinality as given (${changed.map(([column]) => column).join(', ')}, place)`;

const returning = `
  ${stamp('s.updated_at')} as updated_stamp,
  ${stamp('s.scope_activation_toggle_date')} as toggled_stamp,
  ${stamp('s.last_advanced_at')} as advanced_stamp`;

/** Fails where a trigger of somebody else's has kept rows from being written: the COMMIT is on its heels. */
const allWritten = (rows: string) => `(
  select case when written = cardinality($1) then true
    else concat(written, ' of ', cardinality($1), ' rows were written: a trigger keeps the others')::boolean end as all_written
  from (select count(*) as written from ${rows}) counted
) whole`;

/** Columns that say who changes the row `c`. */
const author = ['c.actor', 'c.request_id'];

export const lock = {
  name: 'LockedStates.lock',
  text: `/* LockedStates.lock */ select ${rowColumns('s')} from ${table} s
         where s.id in (${idsOfCandidates}) order by s.id for update of s`,
};

export const probe = {
  name: 'LockedStates.probe',
  text: `/* LockedStates.probe */ select ${rowColumns('s')}, ${stamp(utcClock)} as now_stamp from ${table} s
         where s.id in (${idsOfCandidates}) order by s.id for update of s skip locked`,
};

export const look = {
  name: 'LockedStates.look',
  text: `/* LockedStates.look */ select c.id, c.identifier, clock.now_stamp
         from (select ${stamp(utcClock)} as now_stamp offset 0) clock
         left join ${table} c on c.id in (${idsOfCandidates})`,
};

/** A change that only acknowledges an operator's move leaves version and write time as they are. */
export const update = {
  name: 'LockedStates.update',
  text: `/* LockedStates.update */
    with changed as (
      update ${table} s set
        scope_key = given.scope_key,
        collector = given.collector,
        fetcher = given.fetcher,
        last_processed_timestamp = given.last_processed_timestamp,
        moved_by_operator = given.moved_by_operator,
        version = given.version,
        revision = given.revision,
        updated_at = case when given.version > s.version then clock.now else s.updated_at end,
        last_advanced_at = case when given.advanced then clock.now else s.last_advanced_at end
      from ${changesGiven}, ${table} o, (select ${utcClock} as now) clock
      where s.id = given.id and o.id = given.id
      returning s.*, given.place, given.actor, given.request_id, ${asItWas}
    ), recorded as (
      ${record({ changed: 'changed', what: 'updated', kind: `case when ${isOfAnotherUnit} then 'BACKFILLED' else 'ADVANCED' end` }, author)}
    )
    select s.id, s.place, ${returning}, all_written from ${allWritten('changed')} left join changed s on true`,
};

export const insert = {
  name: 'LockedStates.insert',
  text: `/* LockedStates.insert */
    with given as materialized (
      select given.*, clock.now from ${changesGiven}, (select ${utcClock} as now) clock
    ), s as (
      insert into ${table} (
        identifier, scope_key, collector, fetcher, last_processed_timestamp, scope_activation_toggle_date,
        active, version, revision, moved_by_operator, updated_at, last_advanced_at
      )
      select
        identifier, scope_key, collector, fetcher, last_processed_timestamp, now,
        active, version, revision, moved_by_operator, now, case when advanced then now end
      from given order by place
      returning *
    ), made as materialized (
      select s.*, given.place, given.actor, given.request_id
      from s join given using (identifier, scope_key, collector, fetcher)
    ), recorded as (
      ${record({ changed: 'made', what: 'created', kind: `'CREATED'` }, author)}
    )
    select s.id, s.place, ${returning}, all_written from ${allWritten('made')} left join made s on true`,
};
