import type { Pool } from '../database/pool.js';
import { read } from '../database/read.js';
import {
  micros,
  rowColumns,
  table,
  toInstant,
  toScopeState,
  toTimestamp,
  utcClock,
  type ScopeStateRow,
} from '../scope-state/row.sql.js';
import type { ShownState } from '../scope-state/scope-state.rules.js';
import { idsOfScopes } from './change-condition.sql.js';
import { changeColumns, history, toChange, type ChangeRow } from './change-row.sql.js';

export interface AsOf {
  /** states that had the scope id then, or have had it at another time */
  states: ShownState[];
  /** the history knows of every change since then */
  completeSince: Temporal.Instant;
  now: Temporal.Instant;
}

interface ClockRow {
  now_micros: string;
  complete_micros: string;
}

export class AsOfRepository {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /**
   * Each state as its last change until then left it; if there is none, as its first change after that found it; if it has
   * not changed at all, as it is. All in one snapshot.
   */
  async statesOfScope(scopeId: string, at: Temporal.Instant): Promise<AsOf> {
    const clock = `select ${micros(utcClock)} as now_micros, ${micros('complete_since')} as complete_micros
      from scopestate_history_start`;
    const candidates = idsOfScopes('array[$1::text]');
    const changed = (name: string, comparison: string, way: string) => `
      left join lateral (
        select ${changeColumns('h')} from ${history} h
        where h.state_id = candidate.id and h.recorded_at ${comparison} $2::timestamp(6)
        order by h.sequence ${way} limit 1
      ) ${name} on true`;
    const rows = await read<
      ClockRow & { last: ChangeRow | null; next: ChangeRow | null; row: ScopeStateRow | null }
    >(
      this.pool,
      `/* AsOf.statesOfScope */
       select clock.*, to_jsonb(last) as last, to_jsonb(next) as next, to_jsonb(here) as row
       from (${clock}) clock left join (
         (${candidates}) candidate (id)
         ${changed('last', '<=', 'desc')}
         ${changed('next', '>', 'asc')}
         left join lateral (
           select ${rowColumns('s')} from ${table} s where s.id = candidate.id
         ) here on true
       ) on true`,
      [scopeId, toTimestamp(at)],
    );
    const states = rows.map(({ last, next, row }) => {
      if (last) return toChange(last).after;
      if (next) return toChange(next).before;
      return row ? toScopeState(row) : undefined;
    });
    return {
      states: states.filter((state) => state !== undefined),
      completeSince: toInstant(rows[0]!.complete_micros),
      now: toInstant(rows[0]!.now_micros),
    };
  }
}
