import type { Pool } from '../database/pool.js';
import type { CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import { read } from '../database/read.js';
import {
  micros,
  rowColumns,
  table,
  toInstant,
  toScopeState,
  utcClock,
  type ScopeStateRow,
} from './row.sql.js';
import type { ScopeState } from './scope-state.rules.js';
import { idsOfCandidates, unitParameters } from './unit-match.sql.js';

/** Rows as they stood at one moment, and that moment by the database's clock. */
export interface Seen {
  rows: ScopeState[];
  now: Temporal.Instant;
}

/** Reads that lock nothing and change nothing. */
export class ScopeStateRepository {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /** Every row that the look-ups of these units can find: their own, and their scope ids' legacy rows. */
  candidates(units: readonly CollectionUnit[]): Promise<Seen> {
    return this.see('candidates', `s.id in (${idsOfCandidates})`, unitParameters(units));
  }

  async byId(id: bigint): Promise<{ row: ScopeState | undefined; now: Temporal.Instant }> {
    const { rows, now } = await this.see('byId', 's.id = $1::bigint', [id]);
    return { row: rows[0], now };
  }

  private async see(name: string, condition: string, values: unknown[]): Promise<Seen> {
    const found = await read<ScopeStateRow & { now_micros: string }>(
      this.pool,
      `/* ScopeStates.${name} */ select ${rowColumns('s')}, ${micros('clock.now')} as now_micros
       from (select ${utcClock} as now) clock left join ${table} s on ${condition}`,
      values,
      `ScopeStates.${name}`,
    );
    return {
      now: toInstant(found[0]!.now_micros),
      rows: found.filter((row) => row.id !== null).map(toScopeState),
    };
  }
}
