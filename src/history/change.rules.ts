import { cover, coverAll, type Grants } from '../caller/grant.rules.js';
import type { ShownState } from '../scope-state/scope-state.rules.js';

export const changeKinds = [
  'CREATED',
  'BACKFILLED',
  'ADVANCED',
  'RESET',
  'ACTIVATED',
  'DEACTIVATED',
  'REKEYED',
  'DELETED',
  'IMPORTED',
  'UNDONE',
  'EXTERNAL',
] as const;

export type ChangeKind = (typeof changeKinds)[number];

/** An entry of the history: one row of the table, before and after one statement. */
export interface Change {
  /** grows from change to change of one state; of several states not by time */
  readonly sequence: bigint;
  readonly kind: ChangeKind;
  readonly stateId: number;
  /** undefined: the change made the state */
  readonly before: ShownState | undefined;
  /** undefined: the change removed the state */
  readonly after: ShownState | undefined;
  /** by the database's clock */
  readonly changedAt: Temporal.Instant;
  readonly actor: string;
  readonly reason: string | null;
  readonly requestId: string | null;
  /** what was done to several states as a whole */
  readonly operation: string | null;
}

/**
 * Shows a change as a caller sees it: a state that is not granted is as if it were not there, before as after; undefined
 * where neither is granted. Why a state left the caller's units, or came into them, may name others: it is not told.
 */
export function seenWith(grants: Grants): (change: Change) => Change | undefined {
  if (coverAll(grants)) return (change) => change;
  const isHidden = (state: ShownState | undefined) => state !== undefined && !cover(grants, state);
  return (change) => {
    const [hidesBefore, hidesAfter] = [isHidden(change.before), isHidden(change.after)];
    if (!hidesBefore && !hidesAfter) return change;
    const before = hidesBefore ? undefined : change.before;
    const after = hidesAfter ? undefined : change.after;
    return before || after ? { ...change, before, after, reason: null } : undefined;
  };
}
