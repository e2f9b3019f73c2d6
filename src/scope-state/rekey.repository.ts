import type { Grants } from '../caller/grant.rules.js';
import type { Pool } from '../database/pool.js';
import type { CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import type { Line } from '../database/line.js';
import { inTurn } from '../database/transaction.js';
import { Parameters } from './condition.sql.js';
import { narrowed } from './granted.sql.js';
import { asItWas, authorValues, record, type Author } from './record.sql.js';
import {
  micros,
  rowColumns,
  table,
  toInstant,
  toScopeState,
  utcClock,
  type ScopeStateRow,
} from './row.sql.js';
import { belongsTo, type ScopeState } from './scope-state.rules.js';

export type RekeyOutcome = 'REKEYED' | 'UNCHANGED' | 'UNIT_TAKEN' | 'NOT_FOUND';

export interface Rekeyed {
  outcome: RekeyOutcome;
  /** the state asked to move, as it now stands; none if there is none */
  seen: { state: ScopeState; now: Temporal.Instant } | undefined;
}

const authorParameters = ['$6::text', '$7::text', '$8::text', '$9::uuid'];

export class RekeyRepository {
  private readonly pool: Pool;
  private readonly line: Line;

  /** @param line in which operators' changes take turns */
  constructor(pool: Pool, line: Line) {
    this.pool = pool;
    this.line = line;
  }

  /** Moves a row to another unit, atomically. Somebody who takes the unit meanwhile makes it look again: UNIT_TAKEN. */
  rekey(id: bigint, unit: CollectionUnit, author: Author, grants: Grants): Promise<Rekeyed> {
    const parameters = new Parameters([id]);
    const asked = narrowed('s.id = $1::bigint', grants, parameters);
    return inTurn(this.line, this.pool, async (client) => {
      const locked = await client.query<ScopeStateRow>(
        `/* Rekey.lock */ select ${rowColumns('s')} from ${table} s where ${asked} for update`,
        parameters.values,
      );
      const [before] = locked.rows.map(toScopeState);
      if (before === undefined) return { outcome: 'NOT_FOUND', seen: undefined };
      const moved = await client.query<ScopeStateRow>(
        `/* Rekey.move */ with moved as (
         update ${table} s set
           identifier = $2::text, scope_key = $3::text, collector = $4::text, fetcher = $5::text, moved_by_operator = true,
           version = s.version + 1, revision = s.revision + 1, updated_at = ${utcClock}
         from ${table} o
         where s.id = $1::bigint and o.id = s.id
           and (s.identifier, s.scope_key, s.collector, s.fetcher) is distinct from ($2::text, $3::text, $4::text, $5::text)
           and not exists (
             select from ${table} taken
             where (taken.identifier, taken.scope_key, taken.collector, taken.fetcher) = ($2::text, $3::text, $4::text, $5::text)
           )
         returning s.*, ${asItWas}
         ), recorded as (${record({ changed: 'moved', what: 'updated', kind: `'REKEYED'` }, authorParameters)})
         select ${rowColumns('s')} from moved s`,
        [id, unit.scopeId, unit.scopeKey, unit.collector, unit.fetcher, ...authorValues(author)],
      );
      const clock = await client.query<{ now_micros: string }>(
        `/* Rekey.clock */ select ${micros(utcClock)} as now_micros`,
      );
      const now = toInstant(clock.rows[0]!.now_micros);
      const [after] = moved.rows.map(toScopeState);
      if (after !== undefined) return { outcome: 'REKEYED', seen: { state: after, now } };
      return { outcome: belongsTo(before, unit) ? 'UNCHANGED' : 'UNIT_TAKEN', seen: { state: before, now } };
    });
  }
}
