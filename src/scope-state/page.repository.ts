import type { Grants } from '../caller/grant.rules.js';
import type { Pool } from '../database/pool.js';
import { PreparedStatements } from '../database/prepared-statements.js';
import { read, readInOrderPrepared, readTexts } from '../database/read.js';
import type { Texts } from '../database/send.js';
import { pageSize } from '../relay/paging.js';
import { Parameters, conditionOf, dayIs } from './condition.sql.js';
import type { ScopeStateFilter } from './filter.rules.js';
import { narrowed } from './granted.sql.js';
import { packed, unpacked } from './packed-rows.sql.js';
import type { Order, Position } from './position.rules.js';
import { fromStamp, stamp, table, toTimestamp, utcClock } from './row.sql.js';
import type { ShownState } from './scope-state.rules.js';

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
  states: ShownState[];
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

/**
 * What stands between texts. The units of our callers never have it; a text of another writer may, and then the page is asked for
 * once more, with a separator that nobody can know.
 */
const usualSeparator = '\u0001';

interface Answered {
  /** as they are found: backwards for a backward page, and one more if there is one */
  readonly states: ShownState[];
  readonly around: string;
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
    const read = (separator: string) => this.read(wanted, separator);
    const answered = (await read(usualSeparator)) ?? (await read(crypto.randomUUID()));
    if (!answered) throw new Error('a page has other texts than were asked for');
    const { states, around } = answered;
    const { size, backward } = wanted;
    const [now, isBefore, isAfter] = around.split(' ');
    const goesOn = states.length > size;
    const onPage = states.slice(0, size);
    return {
      states: backward ? onPage.reverse() : onPage,
      hasPreviousPage: isBefore === 't' || (backward && goesOn),
      hasNextPage: isAfter === 't' || (!backward && goesOn),
      now: fromStamp(now!),
    };
  }

  /** undefined where a text on it has the separator */
  private async read(wanted: PageWanted, separator: string): Promise<Answered | undefined> {
    const [row] = await this.ask(wanted, separator);
    const states = unpacked(row!.slice(0, -1), separator, wanted.timesOfChanges);
    return states && { states, around: row!.at(-1)! };
  }

  private ask(wanted: PageWanted, separator: string): Promise<Texts[]> {
    const { filter, grants, order, size, backward, after, before, timesOfChanges } = wanted;
    const parameters = new Parameters([separator]);
    const condition = narrowed(conditionOf(filter, parameters), grants, parameters);
    const isAscending = order.direction === 'ASC';
    const beyond = after && placed(after, isAscending ? '>' : '<', order, parameters);
    const within = before && placed(before, isAscending ? '<' : '>', order, parameters);
    const range = [condition, beyond, within].filter((part) => part !== undefined).join(' and ');
    const isAnyOn = (side: Comparison, place: Position | undefined) =>
      place ? isAny(side, place, { order, condition, parameters }) : 'false';
    const around = `select concat_ws(' ', ${stamp(utcClock)},
        ${isAnyOn(isAscending ? '<=' : '>=', after)},
        ${isAnyOn(isAscending ? '>=' : '<=', before)})`;
    const way = isAscending === backward ? 'desc' : 'asc';
    const isByTime = order.field !== 'SCOPE_ID';
    const sortedBy = [...(isByTime ? [dayColumn] : []), keys[order.field].column, 's.id'];
    const sorted = `order by ${sortedBy.map((column) => `${column} ${way}`).join(', ')}`;
    // One more than wanted tells whether the page is the last one; what lies beyond the places given is looked up.
    const select = (from: string, where: string) =>
      `select s.* from ${from} s where ${where} ${sorted} limit ${size + 1}`;
    const page = (rows: string) =>
      `/* Page.page */ select ${packed('$1', timesOfChanges)}, (${around}) from (${rows}) s`;
    const { values } = parameters;
    if (isByTime && mayBeFew(filter)) {
      const few = `with few as materialized (select s.* from ${table} s where ${range} limit ${mostSorted + 1})`;
      const walked = select(table, `not ${fewAreAll} and ${range}`);
      const rows = `${few} select * from ((${select('few', fewAreAll)}) union all (${walked})) s ${sorted}`;
      return readTexts(this.pool, page(rows), values);
    }
    const text = page(select(table, range));
    // By scope id the walk along the index is right whatever the cursors: it can be planned once.
    const name = !isByTime && condition === 'true' ? this.nameOf(text, size) : undefined;
    return name === undefined
      ? readTexts(this.pool, text, values)
      : readInOrderPrepared(this.pool, { name, text, values }, this.statements);
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
