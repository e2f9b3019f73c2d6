import type { Pool } from '../database/pool.js';
import { read } from '../database/read.js';
import { Parameters } from '../scope-state/condition.sql.js';
import { conditionOfChanges } from './change-condition.sql.js';
import type { ChangeFilter } from './change-filter.rules.js';
import { changeColumns, history, toChange, type ChangeRow } from './change-row.sql.js';
import type { Change } from './change.rules.js';

export interface ChangePageWanted {
  filter: ChangeFilter;
  /** only of this state */
  stateId: number | undefined;
  size: number;
  /** only what is older than the change of this number */
  after: bigint | undefined;
}

export interface ChangePage {
  changes: Change[];
  hasPreviousPage: boolean;
  hasNextPage: boolean;
}

/** Entries of the history, newest first. A number that is missing today may still come: it is not on an older page then. */
export class ChangePageRepository {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  async page({ filter, stateId, size, after }: ChangePageWanted): Promise<ChangePage> {
    const parameters = new Parameters();
    const ofState = stateId === undefined ? 'true' : `h.state_id = ${parameters.add(stateId, 'int')}`;
    const wanted = `${ofState} and ${conditionOfChanges(filter, parameters)}`;
    const place = after === undefined ? undefined : parameters.add(String(after), 'bigint');
    const rows = await read<ChangeRow & { has_previous: boolean }>(
      this.pool,
      `/* ChangePage.page */
       select ${changeColumns('h')} from ${history} h
       where ${wanted} and ${place ? `h.sequence < ${place}` : 'true'}
       order by h.sequence desc limit ${parameters.add(size + 1, 'int')}`,
      parameters.values,
    );
    return {
      changes: rows.slice(0, size).map(toChange),
      hasPreviousPage: after !== undefined && (await this.hasNewer(filter, stateId, after)),
      hasNextPage: rows.length > size,
    };
  }

  async bySequence(sequence: bigint): Promise<Change | undefined> {
    const [row] = await read<ChangeRow>(
      this.pool,
      `/* ChangePage.bySequence */ select ${changeColumns('h')} from ${history} h where h.sequence = $1::bigint`,
      [String(sequence)],
    );
    return row && toChange(row);
  }

  /** The place itself counts: a cursor comes from a change that precedes the page. */
  private async hasNewer(filter: ChangeFilter, stateId: number | undefined, place: bigint): Promise<boolean> {
    const parameters = new Parameters();
    const ofState = stateId === undefined ? 'true' : `h.state_id = ${parameters.add(stateId, 'int')}`;
    const [row] = await read<{ there: boolean }>(
      this.pool,
      `/* ChangePage.hasNewer */ select exists (
         select from ${history} h where ${ofState} and ${conditionOfChanges(filter, parameters)}
           and h.sequence >= ${parameters.add(String(place), 'bigint')}
       ) as there`,
      parameters.values,
    );
    return row!.there;
  }
}
