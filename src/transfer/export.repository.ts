import type { Pool } from '../database/pool.js';
import { readSnapshot } from '../database/snapshot.js';
import { Parameters, conditionOf } from '../scope-state/condition.sql.js';
import type { ScopeStateFilter } from '../scope-state/filter.rules.js';
import { micros, table, toInstant } from '../scope-state/row.sql.js';
import type { ExportRow } from './format.rules.js';

interface StateRow {
  identifier: string;
  scope_key: string | null;
  collector: string | null;
  fetcher: string | null;
  at: string;
  active: boolean;
  toggled: string;
}

/** States as an export has them. */
export class ExportRepository {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /** The states of one snapshot, some at a time, by unit: the same states come in the same order from any database. */
  async *states(filter: ScopeStateFilter): AsyncGenerator<ExportRow[]> {
    const parameters = new Parameters();
    const batches = readSnapshot<StateRow>(
      this.pool,
      'Export.states',
      `select s.identifier, s.scope_key, s.collector, s.fetcher, s.active,
         ${micros('s.last_processed_timestamp')} as at, ${micros('s.scope_activation_toggle_date')} as toggled
       from ${table} s where ${conditionOf(filter, parameters)}
       order by s.identifier, s.scope_key nulls first, s.collector nulls first, s.fetcher nulls first`,
      parameters.values,
    );
    for await (const rows of batches) yield rows.map(toExportRow);
  }
}

function toExportRow(row: StateRow): ExportRow {
  return {
    scopeId: row.identifier,
    scopeKey: row.scope_key,
    collector: row.collector,
    fetcher: row.fetcher,
    lastProcessedTimestamp: toInstant(row.at),
    active: row.active,
    scopeActivationToggleDate: toInstant(row.toggled),
  };
}
