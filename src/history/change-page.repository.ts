import type { Grants } from '../caller/grant.rules.js';
import type { Pool } from '../database/pool.js';
import { read } from '../database/read.js';
import { Parameters } from '../scope-state/condition.sql.js';
import { findBounds, type BoundsRow } from './block.sql.js';
import { conditionOfChanges } from './change-condition.sql.js';
import type { ChangeFilter } from './change-filter.rules.js';
import { changeColumns, history, toChange, type ChangeRow } from './change-row.sql.js';
import { seenWith, type Change } from './change.rules.js';

export interface ChangePageWanted {
  filter: ChangeFilter;
  grants: Grants;
  size: number;
  /** only what is older than the change of this number */
  after: bigint | undefined;
}

export interface ChangePage {
  changes: Change[];
  hasPreviousPage: boolean;
  hasNextPage: boolean;
}

/** Numbers outside of which there is nothing for a page; `high` itself is outside. */
interface Bounds {
  readonly low?: string;
  readonly high?: string;
}

/** Entries of the history, newest first, as far as they are granted. A number that is missing today may still come: it is not on an older page then. */
export class ChangePageRepository {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /** The page and its neighbours, of one snapshot. */
  async page(wanted: ChangePageWanted): Promise<ChangePage> {
    const bounds = await this.boundsOf(wanted);
    if (bounds === 'nothing') return { changes: [], hasPreviousPage: false, hasNextPage: false };
    const parameters = new Parameters();
    const conditions = [conditionOfChanges(wanted.filter, wanted.grants, parameters)];
    if (bounds.low) conditions.push(`h.sequence >= ${parameters.add(bounds.low, 'bigint')}`);
    if (bounds.high) conditions.push(`h.sequence < ${parameters.add(bounds.high, 'bigint')}`);
    const { page, hasPrevious } = rowsOf(wanted, conditions, parameters);
    const rows = await read<PageRow>(
      this.pool,
      `/* ChangePage.page */
       with page as (${page})
       select page.*, around.has_previous
       from (select ${hasPrevious} as has_previous) around left join page on true
       order by page.sequence desc`,
      parameters.values,
    );
    return pageFrom(rows, wanted);
  }

  /** The same of each of these states alone, of one snapshot; a state has few entries, which are looked at in any case. */
  async pagesOfStates(ids: readonly number[], wanted: ChangePageWanted): Promise<ChangePage[]> {
    const parameters = new Parameters();
    const asked = parameters.add(ids, 'int[]');
    const conditions = [
      conditionOfChanges(wanted.filter, wanted.grants, parameters),
      'h.state_id = asked.state_id',
    ];
    const { page, hasPrevious } = rowsOf(wanted, conditions, parameters);
    const rows = await read<PageRow & { place: string }>(
      this.pool,
      `/* ChangePage.pagesOfStates */
       select asked.place, page.*, around.has_previous
       from unnest(${asked}) with ordinality asked (state_id, place)
         cross join lateral (select ${hasPrevious} as has_previous offset 0) around
         left join lateral (${page}) page on true
       order by asked.place, page.sequence desc`,
      parameters.values,
    );
    const ofEach = Map.groupBy(rows, ({ place }) => Number(place));
    return ids.map((_, place) => pageFrom(ofEach.get(place + 1)!, wanted));
  }

  /** Where the filter's time lies, asked before: PostgreSQL plans a page otherwise when it knows. */
  private async boundsOf({ filter }: ChangePageWanted): Promise<Bounds | 'nothing'> {
    // States have few entries, which are looked at in any case.
    if (filter.units || filter.scopeIds) return {};
    const parameters = new Parameters();
    const text = findBounds(filter, parameters);
    if (text === undefined) return {};
    const [row] = await read<BoundsRow>(this.pool, text, parameters.values);
    const { low, high } = row!;
    if (low === null || high === null) return 'nothing';
    return { ...(filter.since && { low }), ...(filter.until && { high }) };
  }

  async bySequence(sequence: bigint, grants: Grants): Promise<Change | undefined> {
    const [row] = await read<ChangeRow>(
      this.pool,
      `/* ChangePage.bySequence */ select ${changeColumns('h')} from ${history} h where h.sequence = $1::bigint`,
      [String(sequence)],
    );
    return row && seenWith(grants)(toChange(row));
  }
}

type PageRow = ChangeRow & { has_previous: boolean };

/** The rows of a page, one more than wanted, and whether there is a newer one. */
function rowsOf({ size, after }: ChangePageWanted, conditions: readonly string[], parameters: Parameters) {
  const wanted = conditions.join(' and ');
  const place = after === undefined ? undefined : parameters.add(String(after), 'bigint');
  // The place itself counts: a cursor comes from a change that precedes the page. It is the first that is looked at, in
  // this order; EXISTS has none, and may look through all the others before.
  const newer = `exists (
    select from (
      select from ${history} h where ${wanted} and h.sequence >= ${place} order by h.sequence limit 1
    ) h
  )`;
  const page = `
    select ${changeColumns('h')} from ${history} h
    where ${wanted} and ${place ? `h.sequence < ${place}` : 'true'}
    order by h.sequence desc limit ${parameters.add(size + 1, 'int')}`;
  return { page, hasPrevious: place ? newer : 'false' };
}

function pageFrom(rows: readonly PageRow[], { size, grants }: ChangePageWanted): ChangePage {
  const see = seenWith(grants);
  const found = rows.filter((row) => row.sequence !== null);
  return {
    changes: found.slice(0, size).flatMap((row) => see(toChange(row)) ?? []),
    hasPreviousPage: rows[0]!.has_previous,
    hasNextPage: found.length > size,
  };
}
