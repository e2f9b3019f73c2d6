import type { Grants } from '../caller/grant.rules.js';
import type { Pool } from '../database/pool.js';
import { read } from '../database/read.js';
import { Parameters, conditionOf } from './condition.sql.js';
import type { ScopeStateFilter } from './filter.rules.js';
import { narrowed } from './granted.sql.js';
import type { Order, Position } from './position.rules.js';
import { micros, rowColumns, table, toInstant, toScopeState, toTimestamp, utcClock } from './row.sql.js';
import type { ScopeStateRow } from './row.sql.js';
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
}

export interface Page {
  states: ScopeState[];
  hasPreviousPage: boolean;
  hasNextPage: boolean;
  now: Temporal.Instant;
}

interface PageRow extends ScopeStateRow {
  now_micros: string;
  has_previous: boolean;
  has_next: boolean;
}

const keyColumns = {
  SCOPE_ID: 's.identifier',
  LAST_PROCESSED_TIMESTAMP: 's.last_processed_timestamp',
} as const;
const keyTypes = { SCOPE_ID: 'text', LAST_PROCESSED_TIMESTAMP: 'timestamp(6)' } as const;

/** Pages by keyset on (sorted column, id): a row that does not move is neither missed nor repeated, whatever else moves. */
export class PageRepository {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /** The page and its two neighbours, of one snapshot. */
  async page(wanted: PageWanted): Promise<Page> {
    const parameters = new Parameters();
    const { field, direction } = wanted.order;
    const key = keyColumns[field];
    const [ahead, behind] = direction === 'ASC' ? (['>', '<'] as const) : (['<', '>'] as const);
    const ascending = (direction === 'ASC') !== wanted.backward;
    const sorted = `order by ${key} ${ascending ? 'asc' : 'desc'}, s.id ${ascending ? 'asc' : 'desc'}`;
    const filter = narrowed(conditionOf(wanted.filter, parameters), wanted.grants, parameters);
    const place = (position: Position) => {
      const value = typeof position.key === 'string' ? position.key : toTimestamp(position.key);
      return `(${parameters.add(value, keyTypes[field])}, ${parameters.add(position.id, 'int')})`;
    };
    const after = wanted.after && place(wanted.after);
    const before = wanted.before && place(wanted.before);
    const range = [
      filter,
      after && `(${key}, s.id) ${ahead} ${after}`,
      before && `(${key}, s.id) ${behind} ${before}`,
    ].filter((condition) => condition !== undefined);
    // The page's own ends, or on an empty page the places that it was asked for between.
    const end = (way: 'asc' | 'desc') => {
      const row = (column: string) => `(select ${column} from page order by key ${way}, id ${way} limit 1)`;
      return `(${row('key')}, ${row('id')})`;
    };
    const [start, finish] = direction === 'ASC' ? [end('asc'), end('desc')] : [end('desc'), end('asc')];
    const exists = (comparison: string) =>
      `exists (select from ${table} s where ${filter} and (${key}, s.id) ${comparison})`;
    const neighbour = (way: string, edge: string, asked: string | undefined) =>
      `case when exists (select from page) then ${exists(`${way} ${edge}`)}
            else ${asked ? exists(`${way}= ${asked}`) : 'false'} end`;
    const rows = await read<PageRow>(
      this.pool,
      `/* Page.page */
       with page as materialized (
         select ${rowColumns('s')}, ${key} as key from ${table} s
         where ${range.join(' and ')} ${sorted} limit ${parameters.add(wanted.size, 'int')}
       ), around as (
         select ${micros(utcClock)} as now_micros,
           ${neighbour(behind, start, after)} as has_previous,
           ${neighbour(ahead, finish, before)} as has_next
       )
       select around.*, page.* from around left join page on true
       order by page.key ${direction}, page.id ${direction}`,
      parameters.values,
    );
    const first = rows[0]!;
    return {
      states: rows.filter((row) => row.id !== null).map(toScopeState),
      hasPreviousPage: first.has_previous,
      hasNextPage: first.has_next,
      now: toInstant(first.now_micros),
    };
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
