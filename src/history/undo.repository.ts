import { forManyStates, patientQuery } from '../database/deadlines.js';
import type { Pool } from '../database/pool.js';
import { read } from '../database/read.js';
import { inTransaction } from '../database/transaction.js';
import type { Plan } from '../scope-state/plan-token.rules.js';
import { authorValues, type Author } from '../scope-state/record.sql.js';
import {
  rowColumns,
  table,
  toInstant,
  toScopeState,
  toTimestamp,
  type ScopeStateRow,
} from '../scope-state/row.sql.js';
import type { ScopeState } from '../scope-state/scope-state.rules.js';
import { changeColumns, toChange, type ChangeRow } from './change-row.sql.js';
import type { Change } from './change.rules.js';
import { apply, entries, lock, plan } from './undo.sql.js';

export interface UndoPlanned {
  /** states that the operation changed, as far as the history has them */
  matched: number;
  /** states that the operation changed */
  size: number;
  /** how many of them are not any more as it left them */
  movedOn: number;
  /** going back would put one of them after now */
  inFuture: boolean;
  plan: Plan;
  now: Temporal.Instant;
}

export interface UndoApplied extends UndoPlanned {
  /** false: the plan is stale, or a state would be in the future; nothing was changed */
  applied: boolean;
  changed: number;
}

interface VerdictRow {
  matched: string;
  size: number | null;
  moved_on: string;
  in_future: boolean;
  made_micros: string;
  digest: string;
  now_micros: string;
}

const sampleSize = 20;
const mostListed = 100;

/** An operation as a whole, undone: what it touched becomes what it was before. */
export class UndoRepository {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /** Changes nothing. */
  async plan(operation: string): Promise<UndoPlanned> {
    const [row] = await read<VerdictRow>(this.pool, plan, [operation]);
    return plannedOf(row!);
  }

  /** All or nothing. A unit that somebody takes meanwhile is a unique violation, and makes it look again. */
  apply(operation: string, isOfDeletion: boolean, plan: Plan, author: Author): Promise<UndoApplied> {
    return inTransaction(this.pool, async (client) => {
      await client.query(forManyStates);
      await client.query(lock, [operation]);
      const { rows } = await client.query<VerdictRow & { is_agreed: boolean; changed: string }>({
        ...patientQuery,
        text: apply(isOfDeletion),
        values: [operation, toTimestamp(plan.madeAt), plan.digest, ...authorValues(author)],
      });
      const { is_agreed, changed } = rows[0]!;
      return { ...plannedOf(rows[0]!), applied: is_agreed, changed: Number(changed) };
    });
  }

  /** Entries of the operation whose states have moved on; a hundred at most. */
  async movedOn(operation: string): Promise<Change[]> {
    const text = entries(changeColumns('h'), 'moved on', mostListed);
    return (await read<ChangeRow>(this.pool, text, [operation])).map(toChange);
  }

  /** Some of the operation's states, as they are now. */
  async sample(operation: string): Promise<ScopeState[]> {
    const rows = await read<ScopeStateRow>(
      this.pool,
      `/* Undo.sample */ select ${rowColumns('s')} from ${table} s
       where s.id in (select state_id from (${entries('h.state_id', 'all', sampleSize)}) e) order by s.identifier, s.id`,
      [operation],
    );
    return rows.map(toScopeState);
  }
}

function plannedOf(row: VerdictRow): UndoPlanned {
  return {
    matched: Number(row.matched),
    size: row.size ?? 0,
    movedOn: Number(row.moved_on),
    inFuture: row.in_future,
    plan: { digest: row.digest, madeAt: toInstant(row.made_micros) },
    now: toInstant(row.now_micros),
  };
}
