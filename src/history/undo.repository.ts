import type { Grants } from '../caller/grant.rules.js';
import { forManyStates, patientQuery } from '../database/deadlines.js';
import type { Line } from '../database/line.js';
import type { Pool } from '../database/pool.js';
import { read } from '../database/read.js';
import { inTurn } from '../database/transaction.js';
import { Parameters } from '../scope-state/condition.sql.js';
import { narrowed } from '../scope-state/granted.sql.js';
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
import { grantedSides, wholly } from './granted-change.sql.js';
import { apply, lock, movedOn, plan, shownEntries, someStates } from './undo.sql.js';

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

/**
 * An operation as a whole, undone: what it touched becomes what it was before. An entry that is not wholly granted is as if
 * it had been pruned: then the operation is not there as a whole.
 */
export class UndoRepository {
  private readonly pool: Pool;
  private readonly line: Line;

  /** @param line in which operators' changes take turns */
  constructor(pool: Pool, line: Line) {
    this.pool = pool;
    this.line = line;
  }

  /** Changes nothing. */
  async plan(operation: string, grants: Grants): Promise<UndoPlanned> {
    const { shown, values } = shownOf(grants, [operation]);
    const [row] = await read<VerdictRow>(this.pool, plan(shown), values);
    return plannedOf(row!);
  }

  /** All or nothing. A unit that somebody takes meanwhile is a unique violation, and makes it look again. */
  apply(
    operation: string,
    isOfDeletion: boolean,
    plan: Plan,
    author: Author,
    grants: Grants,
  ): Promise<UndoApplied> {
    const locked = shownOf(grants, [operation]);
    const changed = shownOf(grants, [
      operation,
      toTimestamp(plan.madeAt),
      plan.digest,
      ...authorValues(author),
    ]);
    return inTurn(this.line, this.pool, async (client) => {
      await client.query(forManyStates);
      await client.query({ ...patientQuery, text: lock(locked.shown), values: locked.values });
      const { rows } = await client.query<VerdictRow & { is_agreed: boolean; changed: string }>({
        ...patientQuery,
        text: apply(isOfDeletion, changed.shown),
        values: changed.values,
      });
      const [row] = rows;
      return { ...plannedOf(row!), applied: row!.is_agreed, changed: Number(row!.changed) };
    });
  }

  /** Entries of the operation whose states have moved on; a hundred at most. */
  async movedOn(operation: string, grants: Grants): Promise<Change[]> {
    const { shown, values } = shownOf(grants, [operation]);
    const text = movedOn(changeColumns('h'), mostListed, shown);
    return (await read<ChangeRow>(this.pool, text, values)).map(toChange);
  }

  /** Some of the operation's states, as they are now. */
  async sample(operation: string, grants: Grants): Promise<ScopeState[]> {
    const parameters = new Parameters([operation]);
    const some = someStates(sampleSize, shownTo(grants, parameters));
    const condition = narrowed(`s.id in (${some})`, grants, parameters);
    const rows = await read<ScopeStateRow>(
      this.pool,
      `/* Undo.sample */ select ${rowColumns('s')} from ${table} s
       where ${condition} order by s.identifier, s.id`,
      parameters.values,
    );
    return rows.map(toScopeState);
  }
}

/** The entries that there are for the caller, and the statement's values with those that this takes. */
function shownOf(grants: Grants, values: unknown[]): { shown: string; values: unknown[] } {
  const parameters = new Parameters(values);
  return { shown: shownTo(grants, parameters), values: parameters.values };
}

function shownTo(grants: Grants, parameters: Parameters): string {
  const sides = grantedSides(grants, parameters);
  return shownEntries(sides && wholly(sides));
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
