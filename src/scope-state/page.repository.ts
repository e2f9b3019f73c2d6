import type { Grants } from '../caller/grant.rules.js';
import type { Pool } from '../database/pool.js';
import { PreparedStatements } from '../database/prepared-statements.js';
import { read, readInOrderPrepared, readTexts } from '../database/read.js';
import type { Texts } from '../database/send.js';
import { pageSize } from '../relay/paging.js';
import { Parameters, conditionOf, dayIs } from './condition.sql.js';
import type { ScopeStateFilter } from './filter.rules.js';
import { narrowed } from './granted.sql.js';
import type { Order, Position } from './position.rules.js';
import { fromStamp, readColumns, readStates, stamp, table, toTimestamp, utcClock } from './row.sql.js';
import type { ScopeState } from './scope-state.rules.js';

export interface PageWanted {
  filter: ScopeStateFilter;
  grants: Grants;
  order: Order;
  size: number;
  /** the last ones of what `after` and `before` leave, instead of the first ones */
  backward: boolean;
  after: Position | undefined;
  before: Position | undefined;
  /** whether states tell when they were changed, too */
  timesOfChanges: boolean;
}

export interface Page {
  states: ScopeState[];
  hasPreviousPage: boolean;
  hasNextPage: boolean;
  now: Temporal.Instant;
}

const keys = {
  SCOPE_ID: { column: 's.identifier', type: 'text' },
  LAST_PROCESSED_TIMESTAMP: { column: 's.last_processed_timestamp', type: 'timestamp(6)' },
} as const;

/** What an index has of the timestamp (docs/adr/0020-lists.md); sorting by it first changes no order. */
const dayColumn = 's.last_processed_day';

/**
 * By timestamp, so many rows are sorted as they are found. Of more, the day's index is walked: that is quick only as long as
 * it comes by many of them, and PostgreSQL, which takes today for a day like others, can't tell.
 */
const mostSorted = 10_000;
const fewAreAll = `((select count(*) from few) <= ${mostSorted})`;

/** By time alone, the days are the index: nothing else could find the states. */
function mayBeFew(filter: ScopeStateFilter): boolean {
  const { scopeIds, scopeKeys, collectors, fetchers, scopeIdPrefix, active, legacy } = filter;
  const isAmongTexts = [scopeIds, scopeKeys, collectors, fetchers, scopeIdPrefix].some(
    (asked) => asked ?? false,
  );
  return isAmongTexts || active === false || legacy === true;
}

/** Names for pages of other sizes than the usual one: whoever asks for each size shall not fill the sessions with plans. */
const mostNames = 32;

/** Pages by keyset on (sorted column, id): a row that does not move is neither missed nor repeated, whatever else moves. */
export class PageRepository {
  private readonly pool: Pool;
  private readonly statements = new PreparedStatements();
  private readonly names = new Map<string, string>();
  private otherSizes = 0;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /** The page and what is around it, of one snapshot. */
  async page(wanted: PageWanted): Promise<Page> {
    const { filter, grants, order, size, backward, after, before, timesOfChanges } = wanted;
    const parameters = new Parameters();
    const condition = narrowed(conditionOf(filter, parameters), grants, parameters);
    const isAscending = order.direction === 'ASC';
    const beyond = after && placed(after, isAscending ? '>' : '<', order, parameters);
    const within = before && placed(before, isAscending ? '<' : '>', order, parameters);
    const range = [condition, beyond, within].filter((part) => part !== undefined).join(' and ');
    const isAnyOn = (side: Comparison, place: Position | undefined) =>
      place ? isAny(side, place, { order, condition, parameters }) : 'false';
    const around = `select concat_ws(' ', ${stamp(utcClock)},
        ${isAnyOn(isAscending ? '<=' : '>=', after)},
        ${isAnyOn(isAscending ? '>=' : '<=', before)}) as around`;
    const way = isAscending === backward ? 'desc' : 'asc';
    const { column } = keys[order.field];
    // One more than wanted tells whether the page is the last one; what lies beyond the places given is looked up.
    const select = (columns: string, from: string, where: string, sorted: string[]) =>
      `select ${columns} from ${from} s where ${where}
        order by ${[...sorted, column, 's.id'].map((each) => `${each} ${way}`).join(', ')}
        limit ${size + 1}`;
    const columns = readColumns('s', timesOfChanges);
    const { values } = parameters;
    const isByTime = order.field !== 'SCOPE_ID';
    if (!isByTime) {
      const text = `/* Page.page */ ${select(`${columns}, (${around})`, table, range, [])}`;
      // Whatever the cursors, the walk along the index is right: it can be planned once.
      const name = condition === 'true' ? this.nameOf(text, size) : undefined;
      const rows =
        name === undefined
          ? await readTexts(this.pool, text, values)
          : await readInOrderPrepared(this.pool, { name, text, values }, this.statements);
      if (rows.length > 0) return pageOf(rows, wanted);
    }
    const keyed = `${columns}, s.id, ${column} as key`;
    const walked = (where: string) => `(${select(keyed, table, where, isByTime ? [dayColumn] : [])})`;
    const rowsWanted =
      isByTime && mayBeFew(filter)
        ? `with few as materialized (select s.* from ${table} s where ${range} limit ${mostSorted + 1})
           (${select(keyed, 'few', fewAreAll, [])}) union all ${walked(`not ${fewAreAll} and ${range}`)}`
        : walked(range);
    // What is around a page is told where nothing is on it, too.
    const text = `/* Page.page */
       select page.identifier, page.scope_key, page.collector, page.fetcher, page.others, around.around
       from (${around}) around left join (${rowsWanted}) page on true
       order by page.key ${way}, page.id ${way}`;
    return pageOf(await readTexts(this.pool, text, values), wanted);
  }

  private nameOf(text: string, size: number): string | undefined {
    const known = this.names.get(text);
    if (known !== undefined) return known;
    if (size !== pageSize && this.otherSizes++ >= mostNames) return undefined;
    const name = `Page.page ${this.names.size + 1}`;
    this.names.set(text, name);
    return name;
  }

  async count(filter: ScopeStateFilter, grants: Grants): Promise<number> {
    const parameters = new Parameters();
    const condition = narrowed(conditionOf(filter, parameters), grants, parameters);
    const rows = await read<{ count: string }>(
      this.pool,
      `/* Page.count */ select count(*) from ${table} s where ${condition}`,
      parameters.values,
    );
    return Number(rows[0]!.count);
  }
}

/** Of rows of which each tells what is around the page, last. */
function pageOf(rows: Texts[], { size, backward }: PageWanted): Page {
  const [now, isBefore, isAfter] = rows[0]!.at(-1)!.split(' ');
  const found = readStates(rows);
  const goesOn = found.length > size;
  const states = found.slice(0, size);
  return {
    states: backward ? states.reverse() : states,
    hasPreviousPage: isBefore === 't' || (backward && goesOn),
    hasNextPage: isAfter === 't' || (!backward && goesOn),
    now: fromStamp(now!),
  };
}

type Comparison = '<' | '<=' | '>' | '>=';

/** Whether a row stands on this side of a place. */
function placed(
  position: Position,
  comparison: Comparison,
  { field }: Order,
  parameters: Parameters,
): string {
  const { column, type } = keys[field];
  const id = parameters.add(position.id, 'int');
  if (typeof position.key === 'string') {
    return `(${column}, s.id) ${comparison} (${parameters.add(position.key, type)}, ${id})`;
  }
  const value = parameters.add(toTimestamp(position.key), type);
  const day = dayIs(comparison.startsWith('<') ? '<=' : '>=', position.key, parameters);
  return `(${column}, s.id) ${comparison} (${value}, ${id}) and ${day}`;
}

/**
 * Whether any row of the filter stands on this side of a place: mostly the one that the cursor came from, else whichever
 * an index finds first. In the order of scope ids that is the neighbour; by timestamp one of the farthest day, for
 * in the place's own day most rows may stand on the other side.
 */
function isAny(
  comparison: Comparison,
  position: Position,
  list: { order: Order; condition: string; parameters: Parameters },
): string {
  const { order, condition, parameters } = list;
  const side = `${condition} and ${placed(position, comparison, order, parameters)}`;
  const isBelow = comparison.startsWith('<');
  const way = isBelow === (order.field === 'SCOPE_ID') ? 'desc' : 'asc';
  const near = order.field === 'SCOPE_ID' ? keys.SCOPE_ID.column : dayColumn;
  // Not EXISTS, which knows no order: the planner would look through the table for a row that may stand at its end.
  return `(exists (select from ${table} s where s.id = ${parameters.add(position.id, 'int')} and ${side})
    or coalesce((
      select true from ${table} s where ${side} order by ${near} ${way} limit 1
    ), false))`;
}
