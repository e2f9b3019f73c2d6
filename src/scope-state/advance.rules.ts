import type { CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import type { ScopeState } from './scope-state.rules.js';

/** What a collector asks for when it has rated a period. */
export interface Advance {
  readonly unit: CollectionUnit;
  readonly lastProcessedTimestamp: Temporal.Instant;
  /** what the collector believes is stored: null for "has no state yet", undefined for "whatever is" */
  readonly expected: Temporal.Instant | null | undefined;
}

export type AdvanceOutcome =
  'CREATED' | 'ADVANCED' | 'UNCHANGED' | 'REGRESSION' | 'STALE' | 'INACTIVE' | 'IN_FUTURE';

/** The table of DESIGN.md 2.3: the first line that fits decides. `stored` is the row that the unit's look-up found. */
export function decideAdvance(
  stored: ScopeState | undefined,
  { lastProcessedTimestamp: asked, expected }: Advance,
  now: Temporal.Instant,
): AdvanceOutcome {
  if (stored?.lastProcessedTimestamp.equals(asked)) return 'UNCHANGED';
  if (isLater(asked, now)) return 'IN_FUTURE';
  if (stored === undefined) return expected instanceof Temporal.Instant ? 'STALE' : 'CREATED';
  if (!stored.active) return 'INACTIVE';
  if (expected === null) return 'STALE';
  if (expected !== undefined && !expected.equals(stored.lastProcessedTimestamp)) return 'STALE';
  if (expected === undefined && stored.movedByOperator) return 'STALE';
  if (isLater(stored.lastProcessedTimestamp, asked)) return 'REGRESSION';
  return 'ADVANCED';
}

export function isLater(one: Temporal.Instant, other: Temporal.Instant): boolean {
  return Temporal.Instant.compare(one, other) > 0;
}
