import type { Pool } from '../database/pool.js';
import { read } from '../database/read.js';
import { Parameters, conditionOf, dayIs } from './condition.sql.js';
import type { ScopeStateFilter } from './filter.rules.js';
import type { Order, Position } from './position.rules.js';
import { micros, rowColumns, table, toInstant, toScopeState, toTimestamp, utcClock } from './row.sql.js';
import type { ScopeStateRow } from './row.sql.js';
import type { ScopeState } from './scope-state.rules.js';

export interface PageWanted {
  filter: ScopeStateFilter;
  order: Order;
  size: number;
  /** the last ones of what `after` and `before` leave, instead of the first ones */
  backward: boolean;
  after: Position | undefined;
  before: Position | undefined;
}

export interface Page {
  states: ScopeState[];
  hasPreviousPage: boolean;
  hasNextPage: boolean;
  now: Temporal.Instant;
}

interface PageRow extends ScopeStateRow {
  now_micros: string;
  is_something_after: boolean;
  is_something_before: boolean;
}

/**
 * The columns that a row's place is compared by, and those that pages are sorted by: the day, which no comparison needs,
 * is what an index has of a timestamp (docs/adr/0016-lists.md).
 */
const orders = {
  SCOPE_ID: { key: 's.identifier', type: 'text', indexed: 's.identifier', sorted: ['s.identifier', 's.id'] },
  LAST_PROCESSED_TIMESTAMP: {
    key: 's.last_processed_timestamp',
    type: 'timestamp(6)',
    indexed: 's.last_processed_day',
    sorted: ['s.last_processed_day', 's.last_processed_timestamp', 's.id'],
  },
} as const;

/** Pages by keyset on (sorted column, id): a row that does not move is neither missed nor repeated, whatever else moves. */
export class PageRepository {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /** The page and what is around it, of one snapshot. */
  async page({ filter, order, size, backward, after, before }: PageWanted): Promise<Page> {
    const parameters = new Parameters();
    const condition = conditionOf(filter, parameters);
    const isAscending = order.direction === 'ASC';
    const beyond = after && placed(after, isAscending ? '>' : '<', order, parameters);
    const within = before && placed(before, isAscending ? '<' : '>', order, parameters);
    const range = [condition, beyond, within].filter((part) => part !== undefined).join(' and ');
    const way = isAscending === backward ? 'desc' : 'asc';
    const sorted = orders[order.field].sorted.map((column) => `${column} ${way}`).join(', ');
    // One more than wanted tells whether the page is the last one; what lies beyond the places given is looked up.
    const rows = await read<PageRow>(
      this.pool,
      `/* Page.page */
       select around.*, page.* from (
         select ${micros(utcClock)} as now_micros,
           ${after ? isAny(after, isAscending ? '<=' : '>=', order, condition, parameters) : 'false'} as is_something_before,
           ${before ? isAny(before, isAscending ? '>=' : '<=', order, condition, parameters) : 'false'} as is_something_after
       ) around left join (
         select ${rowColumns('s')}, ${orders[order.field].key} as key from ${table} s
         where ${range} order by ${sorted} limit ${size + 1}
       ) page on true
       order by page.key ${way}, page.id ${way}`,
      parameters.values,
    );
    const { is_something_before, is_something_after, now_micros } = rows[0]!;
    const found = rows.filter((row) => row.id !== null).map(toScopeState);
    const goesOn = found.length > size;
    const states = found.slice(0, size);
    return {
      states: backward ? states.reverse() : states,
      hasPreviousPage: is_something_before || (backward && goesOn),
      hasNextPage: is_something_after || (!backward && goesOn),
      now: toInstant(now_micros),
    };
  }

  async count(filter: ScopeStateFilter): Promise<number> {
    const parameters = new Parameters();
    const condition = conditionOf(filter, parameters);
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
  const { key, type } = orders[field];
  const id = parameters.add(position.id, 'int');
  if (typeof position.key === 'string') {
    return `(${key}, s.id) ${comparison} (${parameters.add(position.key, type)}, ${id})`;
  }
  const value = parameters.add(toTimestamp(position.key), type);
  const day = dayIs(comparison.startsWith('<') ? '<=' : '>=', position.key, parameters);
  return `(${key}, s.id) ${comparison} (${value}, ${id}) and ${day}`;
}

/**
 * Whether any row of the filter stands on this side of a place: mostly the one that the cursor came from, else whichever
 * an index finds first. In the order of scope ids that is the neighbour; by timestamp one of the farthest day, for
 * in the place's own day most rows may stand on the other side.
 */
function isAny(
  position: Position,
  comparison: Comparison,
  order: Order,
  condition: string,
  parameters: Parameters,
): string {
  const side = `${condition} and ${placed(position, comparison, order, parameters)}`;
  const isBelow = comparison.startsWith('<');
  const way = isBelow === (order.field === 'SCOPE_ID') ? 'desc' : 'asc';
  // Not EXISTS, which knows no order: the planner would look through the table for a row that may stand at its end.
  return `(exists (select from ${table} s where s.id = ${parameters.add(position.id, 'int')} and ${side})
    or coalesce((
      select true from ${table} s where ${side} order by ${orders[order.field].indexed} ${way} limit 1
    ), false))`;
}
