import type { CollectionUnit } from '../collection-unit/collection-unit.rules.js';

/** One row: how far a unit, or a scope id from before units existed, has been rated. */
export interface ScopeState {
  /** the row's id; 0 until it is inserted */
  readonly id: number;
  readonly scopeId: string;
  readonly scopeKey: string | null;
  readonly collector: string | null;
  readonly fetcher: string | null;
  readonly lastProcessedTimestamp: Temporal.Instant;
  readonly active: boolean;
  readonly scopeActivationToggleDate: Temporal.Instant;
  readonly lastAdvancedAt: Temporal.Instant | null;
  readonly updatedAt: Temporal.Instant;
  /** raised by every change */
  readonly version: number;
  /** raised by every change but an advance: plan tokens are made of it */
  readonly revision: number;
  /** reset or rekeyed since its unit was last checked or advanced: what a collector knows of it may be from before */
  readonly movedByOperator: boolean;
}

/** What is told of one, and kept of it in the history: all but what only decisions are made of. */
export type ShownState = Omit<ScopeState, 'revision' | 'movedByOperator'>;

/** A row from before the collection unit existed. One with only some of the three empty is not, and nobody's. */
export function isLegacy(state: ShownState): boolean {
  return state.scopeKey === null && state.collector === null && state.fetcher === null;
}

export function belongsTo(state: ShownState, unit: CollectionUnit): boolean {
  return (
    state.scopeId === unit.scopeId &&
    state.scopeKey === unit.scopeKey &&
    state.collector === unit.collector &&
    state.fetcher === unit.fetcher
  );
}

/** The row that a check of `unit` answers for, of some rows of its scope id: the exact one, else the legacy one. */
export function rowFor<State extends ShownState>(
  unit: CollectionUnit,
  rows: Iterable<State>,
): State | undefined {
  let legacy: State | undefined;
  for (const row of rows) {
    if (belongsTo(row, unit)) return row;
    if (row.scopeId === unit.scopeId && isLegacy(row)) legacy = row;
  }
  return legacy;
}
