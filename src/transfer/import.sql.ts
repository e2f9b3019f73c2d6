import { history } from '../scope-state/record.sql.js';
import { table, toTimestamp } from '../scope-state/row.sql.js';
import type { OnConflict } from './conflict.rules.js';
import type { ImportRow } from './import-row.rules.js';

const unitColumns = ['identifier', 'scope_key', 'collector', 'fetcher'] as const;
const unit = unitColumns.join(', ');

/** NULLs are equal in an array, and the planner can hash it, which it can't do with IS NOT DISTINCT FROM. */
function unitOf(alias: string): string {
  return `array[${unitColumns.map((column) => `${alias}.${column}`).join(', ')}]::text[]`;
}

/** Whether two rows are of one unit; the first condition lets an index find a few rows among many. */
function sameUnit(one: string, other: string): string {
  return `${one}.identifier = ${other}.identifier and ${unitOf(one)} = ${unitOf(other)}`;
}

/** The input as it came; gone with the transaction. */
export const createRows = `/* Import.createRows */
  create temporary table import_rows (
    line bigint not null,
    identifier varchar(256) collate "C" not null,
    scope_key varchar(40) collate "C",
    collector varchar(40) collate "C",
    fetcher varchar(40) collate "C",
    at timestamp(6) not null,
    active boolean,
    toggled timestamp(6)
  ) on commit drop`;

export const copyRows = `/* Import.copy */ copy import_rows from stdin`;

/** A line of COPY's text format. Texts have no control characters, so that only backslashes need one more. */
export function copyLine(line: number, row: ImportRow): string {
  const { scopeActivationToggleDate: toggled } = row;
  const values = [
    line,
    ...[row.scopeId, row.scopeKey, row.collector, row.fetcher].map(
      (text) => text?.replaceAll('\\', '\\\\') ?? null,
    ),
    toTimestamp(row.lastProcessedTimestamp),
    row.active,
    toggled && toTimestamp(toggled),
  ];
  return `${values.map((value) => value ?? '\\N').join('\t')}\n`;
}

/** Which ids, as a digest: a million need no memory here. Of rows `s`, whose id may be NULL. */
const idDigest = `concat_ws(' ', count(s.id), sum(hashint8extended(s.id, 1)), sum(hashint8extended(s.id, 2)))`;

export const lock = `/* Import.lock */
  select ${idDigest} as ids from (
    select s.id from ${table} s where exists (select from import_rows r where ${sameUnit('s', 'r')})
    order by s.id for update of s
  ) s`;

/** Which line of a unit is taken, of several: the first in this order. */
const preference: Record<OnConflict, string> = {
  fail: 'line',
  skip: 'line',
  'keep-latest': 'at desc, toggled desc nulls last, line',
  'keep-earliest': 'at, toggled desc nulls last, line',
};

/** Whether input `r` is taken although `s` is stored; NULL counts as no. Equal states: the flag that was set later. */
const inputWins: Record<OnConflict, string> = {
  fail: 'false',
  skip: 'false',
  'keep-latest': '(r.at, r.toggled) > (s.last_processed_timestamp, s.scope_activation_toggle_date)',
  'keep-earliest':
    'r.at < s.last_processed_timestamp or (r.at = s.last_processed_timestamp and r.toggled > s.scope_activation_toggle_date)',
};

/** Whether a unit has taken over the legacy row of `r`, and still has it: as far as the history goes back. */
const isTakenOver = `num_nonnulls(r.scope_key, r.collector, r.fetcher) = 0 and exists (
  select from ${history} h join ${table} o on o.id = h.state_id
  where h.old_identifier = r.identifier and num_nonnulls(h.old_scope_key, h.old_collector, h.old_fetcher) = 0
    and num_nonnulls(o.scope_key, o.collector, o.fetcher) > 0
)`;

/** One row a unit of the input, beside what is stored of it, and what becomes of it. */
export function judge(onConflict: OnConflict): string {
  return `/* Import.judge */
    create temporary table import_units on commit drop as
    select r.*, s.id, s.last_processed_timestamp as stored_at, s.active as stored_active,
      s.scope_activation_toggle_date as stored_toggled,
      case
        when s.id is null and ${isTakenOver} then 'taken over'
        when s.id is null then 'insert'
        when r.at = s.last_processed_timestamp and coalesce(r.active = s.active, true)
          and coalesce(r.toggled = s.scope_activation_toggle_date, true) then 'keep'
        when ${inputWins[onConflict]} then 'update'
        else 'skip'
      end as verdict
    from (
      select distinct on (${unit}) * from import_rows order by ${unit}, ${preference[onConflict]}
    ) r left join ${table} s on ${sameUnit('s', 'r')}`;
}

export const count = `/* Import.count */
  select ${idDigest} as ids,
    (select count(*) from import_rows) as rows,
    count(*) as units,
    count(*) filter (where verdict = 'insert') as inserted,
    count(*) filter (where verdict = 'update') as updated,
    count(*) filter (where verdict = 'keep') as unchanged,
    count(*) filter (where verdict = 'skip') as skipped,
    count(*) filter (where verdict = 'taken over') as taken_over,
    count(*) filter (where num_nulls(scope_key, collector, fetcher) in (1, 2)) as partly_filled
  from import_units s`;

/** Lines that say otherwise of their unit than the line that is taken: the first of each value. */
export function findRivals(areThere: boolean): string {
  const isTaken = '(r.at, r.active, r.toggled) is not distinct from (u.at, u.active, u.toggled)';
  return `/* Import.findRivals */
    create temporary table import_rivals on commit drop as
    select min(r.line) as line, ${unitColumns.map((column) => `r.${column}`).join(', ')}, r.at, r.active, r.toggled,
      u.line as other_line, u.at as other_at, u.active as other_active, u.toggled as other_toggled
    from import_rows r join import_units u on ${sameUnit('r', 'u')}
    where ${areThere} and not (${isTaken})
    group by ${unitColumns.map((column) => `r.${column}`).join(', ')}, r.at, r.active, r.toggled,
      u.line, u.at, u.active, u.toggled`;
}

/** The first conflicts, in the input's order; `other_line` is NULL where the other values are the stored ones. */
export function listConflicts(columns: string, most: number): string {
  return `/* Import.listConflicts */
    select ${columns} from (
      select * from import_rivals
      union all
      select line, ${unit}, at, active, toggled, null, stored_at, stored_active, stored_toggled
      from import_units where verdict in ('update', 'skip')
    ) c order by c.line, c.other_line nulls first limit ${most}`;
}
