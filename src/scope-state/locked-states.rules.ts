import type { Caller } from '../caller/caller.js';
import { unitKey, type CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import { decideAdvance, type Advance, type AdvanceOutcome } from './advance.rules.js';
import { belongsTo, isLegacy, rowFor, type ScopeState } from './scope-state.rules.js';

export type CheckOutcome = 'FOUND' | 'BACKFILLED' | 'UNKNOWN';

export interface Checked {
  readonly outcome: CheckOutcome;
  readonly state: ScopeState | undefined;
}

export interface Advanced {
  readonly outcome: AdvanceOutcome;
  readonly backfilled: boolean;
  readonly state: ScopeState | undefined;
}

/** A row as it was locked (none for a created one), and as it is to be written. */
export interface Change {
  readonly before: ScopeState | undefined;
  readonly after: ScopeState;
  readonly advanced: boolean;
  /** who is to be named in the history */
  readonly by: Caller;
}

/**
 * The rows that a batch's look-ups can find, all locked: what is decided on them here, item by item in the order given,
 * is still true when the transaction writes it.
 */
export class LockedStates {
  private readonly rowsOfScope: Map<string, ScopeState[]>;
  private readonly original = new Map<ScopeState, ScopeState | undefined>();
  private readonly advancedRows = new Set<ScopeState>();
  private readonly changedBy = new Map<string, Caller>();
  private author: Caller = { caller: '', requestId: '' };
  /** the database's clock, read after the rows were locked */
  readonly now: Temporal.Instant;

  constructor(rows: readonly ScopeState[], now: Temporal.Instant) {
    this.rowsOfScope = Map.groupBy(rows, (row) => row.scopeId);
    this.now = now;
  }

  /** Whoever asks for what is decided from now on. */
  actFor(caller: Caller): void {
    this.author = caller;
  }

  /**
   * Whether another caller's item has changed a row of the scope id. What comes then has to wait for the next
   * transaction: a row's change has one entry in the history, and that names one caller and one request.
   */
  isChangedByAnother(scopeId: string, caller: Caller): boolean {
    const by = this.changedBy.get(scopeId);
    return by !== undefined && by !== caller;
  }

  check(unit: CollectionUnit): Checked {
    const row = this.lookUp(unit);
    if (row === undefined) return { outcome: 'UNKNOWN', state: undefined };
    if (!isLegacy(row)) {
      return { outcome: 'FOUND', state: row.movedByOperator ? this.acknowledge(row) : row };
    }
    return { outcome: 'BACKFILLED', state: this.backfill(row, unit, { movedByOperator: false }) };
  }

  advance(advance: Advance): Advanced {
    const { unit, lastProcessedTimestamp } = advance;
    const row = this.lookUp(unit);
    const outcome = decideAdvance(row, advance, this.now);
    if (outcome === 'CREATED') {
      const created = this.create(unit, lastProcessedTimestamp, true, { lastAdvancedAt: this.now });
      this.advancedRows.add(created);
      return { outcome, backfilled: false, state: created };
    }
    if (row === undefined) return { outcome, backfilled: false, state: undefined };
    const legacy = isLegacy(row);
    switch (outcome) {
      case 'ADVANCED':
        return { outcome, backfilled: legacy, state: this.move(row, unit, lastProcessedTimestamp) };
      case 'UNCHANGED':
        return { outcome, backfilled: legacy, state: legacy ? this.backfill(row, unit, {}) : row };
      case 'REGRESSION':
      case 'STALE':
      case 'INACTIVE':
      case 'IN_FUTURE':
        return { outcome, backfilled: false, state: row };
    }
  }

  /** A row of the unit's own, whatever legacy row there is: the caller has looked that it has none. */
  create(
    unit: CollectionUnit,
    lastProcessedTimestamp: Temporal.Instant,
    active: boolean,
    more: Partial<ScopeState> = {},
  ): ScopeState {
    const created: ScopeState = {
      ...unit,
      id: 0,
      lastProcessedTimestamp,
      active,
      scopeActivationToggleDate: this.now,
      lastAdvancedAt: null,
      updatedAt: this.now,
      version: 1,
      revision: 1,
      movedByOperator: false,
      ...more,
    };
    this.rowsOf(unit.scopeId).push(created);
    this.original.set(created, undefined);
    this.changedBy.set(unit.scopeId, this.author);
    return created;
  }

  exactRow(unit: CollectionUnit): ScopeState | undefined {
    return this.rowsOf(unit.scopeId).find((row) => belongsTo(row, unit));
  }

  /** What is to be written, one entry a row; in an order of units, so that writers of the same units don't cross. */
  changes(): Change[] {
    return [...this.original]
      .map(([after, before]) => ({
        before,
        after,
        advanced: this.advancedRows.has(after),
        by: this.changedBy.get(after.scopeId)!,
      }))
      .sort((one, other) => compareText(unitKeyOf(one.after), unitKeyOf(other.after)));
  }

  private lookUp(unit: CollectionUnit): ScopeState | undefined {
    return rowFor(unit, this.rowsOf(unit.scopeId));
  }

  private rowsOf(scopeId: string): ScopeState[] {
    const rows = this.rowsOfScope.get(scopeId) ?? [];
    this.rowsOfScope.set(scopeId, rows);
    return rows;
  }

  private move(row: ScopeState, unit: CollectionUnit, lastProcessedTimestamp: Temporal.Instant): ScopeState {
    const claimed = isLegacy(row);
    const moved = this.replace(row, {
      ...unit,
      lastProcessedTimestamp,
      movedByOperator: false,
      lastAdvancedAt: this.now,
      updatedAt: this.now,
      version: row.version + 1,
      revision: claimed ? row.revision + 1 : row.revision,
    });
    this.advancedRows.add(moved);
    return moved;
  }

  private backfill(row: ScopeState, unit: CollectionUnit, more: Partial<ScopeState>): ScopeState {
    return this.replace(row, {
      ...unit,
      ...more,
      updatedAt: this.now,
      version: row.version + 1,
      revision: row.revision + 1,
    });
  }

  /** The unit knows of the operator's move now. Not a change of the state: neither version nor revision is raised. */
  private acknowledge(row: ScopeState): ScopeState {
    return this.replace(row, { movedByOperator: false });
  }

  private replace(row: ScopeState, changed: Partial<ScopeState>): ScopeState {
    const rows = this.rowsOf(row.scopeId);
    const after = { ...row, ...changed };
    rows[rows.indexOf(row)] = after;
    this.original.set(after, this.original.has(row) ? this.original.get(row) : row);
    this.original.delete(row);
    this.changedBy.set(row.scopeId, this.author);
    if (this.advancedRows.delete(row)) this.advancedRows.add(after);
    return after;
  }
}

function unitKeyOf(state: ScopeState): string {
  return unitKey(state as CollectionUnit);
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
