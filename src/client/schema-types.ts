// Made from schema.graphql by `npm run client:generate`: do not edit.

/** How far a collection unit has been rated. A legacy state, from before collection units existed, has a scope id only; it becomes the state of the first unit that is checked or advanced. */
export interface ScopeState extends Node {
  /** Opaque and stable: a backfill or a rekey keeps it. */
  id: string;
  /** What is rated, exactly as it was given: 1 to 256 characters. */
  scopeId: string;
  /** What kind of id the scope id is, such as `project_id`. Null in a legacy state. */
  scopeKey: string | null;
  /** The source that usage is read from, such as `gnocchi`. Null in a legacy state. */
  collector: string | null;
  /** What listed the scope, such as `keystone`. Null in a legacy state. */
  fetcher: string | null;
  /** Whether scope key, collector and fetcher are all three empty. A state with only some of them empty is not legacy, and no check or advance ever touches it: an operator can rekey it. */
  legacy: boolean;
  /** The state: the *start* of the last period that has been rated (CloudKitty’s meaning of `last_processed_timestamp`). */
  lastProcessedTimestamp: DateTime;
  /** An inactive scope keeps its state and refuses advances. */
  active: boolean;
  /** When `active` last changed, by the database’s clock. */
  scopeActivationToggleDate: DateTime;
  /** When an advance last created or moved the state, by the database’s clock; null if none ever did. */
  lastAdvancedAt: DateTime | null;
  /** When anything of the state last changed, by the database’s clock. */
  updatedAt: DateTime;
  /** 1 when created, then one more for each change, other writers’ too. A backfill and the advance that made it count once; two advances in one batch count twice. */
  version: number;
  /** `lastProcessedTimestamp` plus one period: everything before it is rated. Never later than 9999-12-31T23:59:59.999999Z. */
  coveredUntil: DateTime;
  /** How long ago `coveredUntil` was, by the database’s clock; never negative. */
  lag: Duration;
  /** How many periods are due now: with period p and w wait periods, the one after state t is due when t + p + w·p lies before now, strictly (CloudKitty’s rule). 0 for an inactive scope. */
  duePeriods: number;
  /** The period to rate next; null when nothing is due. */
  nextPeriod: Period | null;
  /** The history of this state, newest first, under whichever unit it was. */
  changes: ScopeStateChangeConnection;
}

/** The arguments of `ScopeState.changes`. */
export interface ScopeStateChangesArgs {
  /** Which changes; all of them if absent. */
  filter?: ScopeStateChangeFilter | null | undefined;
  /** The newest so many: 1 to 1,000, 100 if absent. */
  first?: number | null | undefined;
  /** Only what is older than this cursor’s change. */
  after?: string | null | undefined;
}

/** An object that can be fetched again by its id (Relay, Global Object Identification). */
export interface Node {
  /** Opaque and stable: it never changes, and is never used again for another object. */
  id: string;
}

/**
 * An instant, exact to the microsecond: a string as RFC 3339 has it.
 *
 * - The zone is required: `Z` or `±hh:mm`. Answers are always in UTC, with `Z`.
 * - At most six fraction digits; an answer has a fraction only if it is not zero.
 * - From `1970-01-01T00:00:00Z` to `9999-12-31T23:59:59.999999Z`.
 * - Refused: leap seconds (`:60`), `24:00`, days that don't exist, zone names in brackets, "now" and "infinity".
 *
 * Examples: `"2026-01-31T09:00:00Z"`, `"2026-01-31T10:00:00.123456+01:00"`.
 */
export type DateTime = string;

/**
 * A length of time, exact to the microsecond: a string as ISO 8601 has it, of parts with a fixed length only.
 *
 * - Weeks, days (of 24 hours), hours, minutes and seconds; at most six fraction digits, in the seconds only.
 * - No years or months, no sign; at most `P9999999D`.
 * - Answers are balanced, with days as the largest unit: `P2DT3H`; nothing at all is `PT0S`.
 *
 * Examples: `"PT1H"`, `"PT5M"`, `"P1D"`, `"PT0.5S"`.
 */
export type Duration = string;

/** A half-open interval [start, end), one collection period long. */
export interface Period {
  /** The first instant of the period. */
  start: DateTime;
  /** The first instant after the period. */
  end: DateTime;
}

/** A page of changes (Relay, Cursor Connections), newest first. What is changed meanwhile comes before the first page. */
export interface ScopeStateChangeConnection {
  /** The changes of this page, each with its cursor. */
  edges: readonly ScopeStateChangeEdge[];
  /** Where this page stands. */
  pageInfo: PageInfo;
  /** The changes of this page. */
  nodes: readonly ScopeStateChange[];
}

/** A change and its place in the connection. */
export interface ScopeStateChangeEdge {
  /** Opaque; for `after`. */
  cursor: string;
  /** The change. */
  node: ScopeStateChange;
}

/** Where a page stands in its connection (Relay, Cursor Connections). Both `has…` fields are true to fact, whichever way you page. */
export interface PageInfo {
  /** Whether an item follows the last one of this page. */
  hasNextPage: boolean;
  /** Whether an item precedes the first one of this page. */
  hasPreviousPage: boolean;
  /** Cursor of the first item, for `before`; null on an empty page. */
  startCursor: string | null;
  /** Cursor of the last item, for `after`; null on an empty page. */
  endCursor: string | null;
}

/** Which changes: the values of one field are ORed, the fields are ANDed. A field that is null or absent does not filter; an empty list matches nothing. A list has at most 1,000 values. A change that moved a state from one unit to another is a change of both: one of them has to fit all of `units`, `scopeIds` and `collectors`. */
export interface ScopeStateChangeFilter {
  /** Changes of these units’ states: of the units that they had then. */
  units?: readonly CollectionUnitInput[] | null | undefined;
  /** Scope ids that the states had then. */
  scopeIds?: readonly string[] | null | undefined;
  /** Collectors that the states had then. */
  collectors?: readonly string[] | null | undefined;
  /** What was done. */
  kinds?: readonly ScopeStateChangeKind[] | null | undefined;
  /** Who did it, whole names: `external:cloudkitty`. */
  actors?: readonly string[] | null | undefined;
  /** Changes made then or later. */
  since?: DateTime | null | undefined;
  /** Changes made before then. */
  until?: DateTime | null | undefined;
}

/** What a state belongs to: one scope as one collector reads it. The four texts are stored and answered exactly as given: no trimming, no case folding, no Unicode normalisation. Control characters and lone surrogates are refused. */
export interface CollectionUnitInput {
  /** What is rated: often a UUID, but any text of 1 to 256 characters (code points). */
  scopeId: string;
  /** What kind of id the scope id is, such as `project_id` or `namespace`: 1 to 40 characters. */
  scopeKey: string;
  /** The source that usage is read from, such as `gnocchi`, `monasca` or `prometheus`: 1 to 40 characters. */
  collector: string;
  /** What listed the scope, such as `keystone`, `prometheus` or `source`: 1 to 40 characters. */
  fetcher: string;
}

/** What was done to a state. */
export type ScopeStateChangeKind =
  /** The state was made: by an advance, or by `createScopeState`. */
  | 'CREATED'
  /** A legacy state was taken over by the first unit that was checked or advanced; an advance that did so may have moved it with the same change. */
  | 'BACKFILLED'
  /** A collector said that it has rated further. Two advances of one batch are one change. */
  | 'ADVANCED'
  /** An operator set it, back or forward. */
  | 'RESET'
  /** The scope was switched on. */
  | 'ACTIVATED'
  /** The scope was switched off. */
  | 'DEACTIVATED'
  /** The state was moved to another unit. */
  | 'REKEYED'
  /** The state was deleted. */
  | 'DELETED'
  /** `scopestate import` made or changed it. */
  | 'IMPORTED'
  /** A change was undone: the state is again what it was before. */
  | 'UNDONE'
  /** Another program (CloudKitty itself, psql) wrote to the table: made, changed or removed the state. None of scopestate’s promises holds for such a write. */
  | 'EXTERNAL';

/** An entry of the history: what one statement did to one state, written in the same transaction. Nothing alters one; it is pruned when it is older than `SCOPESTATE_HISTORY_RETENTION`. */
export interface ScopeStateChange extends Node {
  /** Opaque and stable. */
  id: string;
  /** Its place in the history, a whole number: of two changes of one state the later one has the larger. Numbers can be missing: a transaction that was rolled back had them. */
  sequence: string;
  /** What was done. */
  kind: ScopeStateChangeKind;
  /** The id of the state, which may be gone by now. */
  stateId: string;
  /** The scope id that the state had then: after the change, or as last where it was removed or moved to a unit that the caller is not granted. */
  scopeId: string;
  /** The scope key that it had then. */
  scopeKey: string | null;
  /** The collector that it had then. */
  collector: string | null;
  /** The fetcher that it had then. */
  fetcher: string | null;
  /** The state before the change, with `lag` and what was due as they were when it was changed; null where the change made it, or moved it here from a unit that the caller is not granted. */
  before: ScopeState | null;
  /** The state after the change, in the same way; null where the change removed it, or moved it to a unit that the caller is not granted. */
  after: ScopeState | null;
  /** When the change was made, by the database’s clock: within its transaction, so before others could see it. */
  changedAt: DateTime;
  /** Who: the caller; `import` for `scopestate import`; `external:` and the name of its application (its database role where it gives none) for another program. */
  actor: string;
  /** Why, as the operator said; null for collectors, and where the state moved from or to a unit that the caller is not granted. */
  reason: string | null;
  /** The id of the request, as in its answer and in the log; null for other programs. */
  requestId: string | null;
}

/** What is read: nothing is written by asking, and no legacy state is taken over. */
export interface Query {
  /** The state that `scopeState` would have answered at that time, with `lag` and what was due as they were then; null if there was none. The history must reach back to it: `BAD_USER_INPUT` says since when it does. */
  scopeStateAsOf: ScopeState | null;
  /** Who changed which state, when and why, newest first: 100 a page unless told, 1,000 at most. */
  scopeStateChanges: ScopeStateChangeConnection;
  /** The object of that id; null if it is not there any more. */
  node: Node | null;
  /** The state that a check of the unit would answer, the legacy state included (`legacy: true`); null if there is none. Changes nothing: a legacy state is taken over by mutations only. */
  scopeState: ScopeState | null;
  /** States page by page: 100 a page unless told, 1,000 at most. */
  scopeStates: ScopeStateConnection;
}

/** The arguments of `Query.scopeStateAsOf`. */
export interface QueryScopeStateAsOfArgs {
  /** When; not later than now. */
  at: DateTime;
  /** The unit to look up. */
  unit: CollectionUnitInput;
}

/** The arguments of `Query.scopeStateChanges`. */
export interface QueryScopeStateChangesArgs {
  /** Which changes; all of them if absent. */
  filter?: ScopeStateChangeFilter | null | undefined;
  /** The newest so many: 1 to 1,000, 100 if absent. */
  first?: number | null | undefined;
  /** Only what is older than this cursor’s change. */
  after?: string | null | undefined;
}

/** The arguments of `Query.node`. */
export interface QueryNodeArgs {
  /** An id that was answered. */
  id: string;
}

/** The arguments of `Query.scopeState`. */
export interface QueryScopeStateArgs {
  /** The unit to look up. */
  unit: CollectionUnitInput;
}

/** The arguments of `Query.scopeStates`. */
export interface QueryScopeStatesArgs {
  /** Which states; all of them if absent. */
  filter?: ScopeStateFilter | null | undefined;
  /** How to sort: by scope id, ascending, if absent. A cursor is good for the order that it came from. */
  orderBy?: ScopeStateOrder | null | undefined;
  /** The first so many: 1 to 1,000, 100 if neither is given. */
  first?: number | null | undefined;
  /** Only what follows this cursor. */
  after?: string | null | undefined;
  /** The last so many: 1 to 1,000. Refused together with `first`. */
  last?: number | null | undefined;
  /** Only what precedes this cursor. */
  before?: string | null | undefined;
}

/** A page of states (Relay, Cursor Connections). Pages follow the sorted value, not a count: a state that does not move is neither missed nor repeated, whatever else happens meanwhile. */
export interface ScopeStateConnection {
  /** The states of this page, each with its cursor. */
  edges: readonly ScopeStateEdge[];
  /** Where this page stands. */
  pageInfo: PageInfo;
  /** The states of this page. */
  nodes: readonly ScopeState[];
  /** How many states match the filter, exactly; counted only when asked for. */
  totalCount: number;
}

/** A state and its place in the connection. */
export interface ScopeStateEdge {
  /** Opaque; for `after` and `before`, with the same `orderBy`. */
  cursor: string;
  /** The state. */
  node: ScopeState;
}

/** Which states: the values of one field are ORed, the fields are ANDed. A field that is null or absent does not filter; an empty list matches nothing. A list has at most 1,000 values. */
export interface ScopeStateFilter {
  /** Scope ids, compared character by character. */
  scopeIds?: readonly string[] | null | undefined;
  /** Scope keys. */
  scopeKeys?: readonly string[] | null | undefined;
  /** Collectors. */
  collectors?: readonly string[] | null | undefined;
  /** Fetchers. */
  fetchers?: readonly string[] | null | undefined;
  /** What the scope id begins with: 1 to 256 characters, none of them a wildcard. */
  scopeIdPrefix?: string | null | undefined;
  /** Only active states, or only inactive ones. */
  active?: boolean | null | undefined;
  /** Only legacy states, or only the others. */
  legacy?: boolean | null | undefined;
  /** States whose `lastProcessedTimestamp` lies before it. */
  processedBefore?: DateTime | null | undefined;
  /** States whose `lastProcessedTimestamp` is it or lies after it. */
  processedSince?: DateTime | null | undefined;
}

/** How a connection of states is sorted. */
export interface ScopeStateOrder {
  /** What to sort by. */
  field?: ScopeStateOrderField | undefined;
  /** Which end comes first. */
  direction?: OrderDirection | undefined;
}

/** What a connection of states is sorted by; among equals by the order in which they were created. */
export type ScopeStateOrderField =
  /** By the scope id’s bytes in UTF-8. A state keeps its place while it is advanced or backfilled. */
  | 'SCOPE_ID'
  /** By the state itself: ascending, the ones furthest behind come first. An advanced state moves. */
  | 'LAST_PROCESSED_TIMESTAMP';

/** Which end comes first. */
export type OrderDirection =
  /** The smallest or earliest first. */
  | 'ASC'
  /** The largest or latest first. */
  | 'DESC';

/** What may change states, one field after the other: a later one sees what an earlier one has done, which stays done whatever becomes of the later one. */
export interface Mutation {
  /** Takes a reset, an activation, a rekey or a deletion back, for all states that it touched or for none. Planned and applied like a reset. Until a state that it moved is checked, an advance of it without `expected` is `STALE`. */
  undoScopeStateChange: UndoScopeStateChangePayload;
  /** Says that a unit has been rated up to and including the period that starts at `lastProcessedTimestamp`. Never goes back. Safe to send again when an answer was lost: the second one is `UNCHANGED`. */
  advanceScopeState: AdvanceScopeStatePayload;
  /** Advances many units in one transaction: each has an outcome of its own; an error means that none was done. */
  advanceScopeStates: AdvanceScopeStatesPayload;
  /** Asks how far a unit has been rated, and takes over its scope id’s legacy state if the unit has none of its own. However many callers check at once, a legacy state gets exactly one owner. */
  checkScopeState: CheckScopeStatePayload;
  /** Checks many units in one transaction: each has an outcome of its own; an error means that none was done. */
  checkScopeStates: CheckScopeStatesPayload;
  /** Gives a unit its first state. A legacy state of the same scope id does not stand in the way, and stays for another unit. */
  createScopeState: CreateScopeStatePayload;
  /** Moves a state to another unit, its timestamp with it: for a collector that was renamed, or a partly filled row. Until the new unit is checked, an advance without `expected` is `STALE`. */
  rekeyScopeState: RekeyScopeStatePayload;
  /** Switches scopes on or off. An inactive scope keeps its state and refuses advances; its toggle date changes only when its flag does. */
  setScopeActivation: SetScopeActivationPayload;
  /** Sets states, back or forward: the only way back there is. Two steps: a dry run answers what would be touched and a `planToken`; with that token it is applied, to all of it or not at all. Moves the state only: rated data lies in the rating store. */
  resetScopeStates: ResetScopeStatesPayload;
  /** Deletes states, planned and applied like a reset. A unit without a state starts anew when it is advanced. */
  deleteScopeStates: DeleteScopeStatesPayload;
}

/** The arguments of `Mutation.undoScopeStateChange`. */
export interface MutationUndoScopeStateChangeArgs {
  /** Which change to take back. */
  input: UndoScopeStateChangeInput;
}

/** The arguments of `Mutation.advanceScopeState`. */
export interface MutationAdvanceScopeStateArgs {
  /** What has been rated. */
  input: AdvanceScopeStateInput;
}

/** The arguments of `Mutation.advanceScopeStates`. */
export interface MutationAdvanceScopeStatesArgs {
  /** What has been rated. */
  input: AdvanceScopeStatesInput;
}

/** The arguments of `Mutation.checkScopeState`. */
export interface MutationCheckScopeStateArgs {
  /** The unit to check. */
  input: CheckScopeStateInput;
}

/** The arguments of `Mutation.checkScopeStates`. */
export interface MutationCheckScopeStatesArgs {
  /** The units to check. */
  input: CheckScopeStatesInput;
}

/** The arguments of `Mutation.createScopeState`. */
export interface MutationCreateScopeStateArgs {
  /** The state to create. */
  input: CreateScopeStateInput;
}

/** The arguments of `Mutation.rekeyScopeState`. */
export interface MutationRekeyScopeStateArgs {
  /** Which state to move, and where. */
  input: RekeyScopeStateInput;
}

/** The arguments of `Mutation.setScopeActivation`. */
export interface MutationSetScopeActivationArgs {
  /** Which scopes to switch on or off. */
  input: SetScopeActivationInput;
}

/** The arguments of `Mutation.resetScopeStates`. */
export interface MutationResetScopeStatesArgs {
  /** Which states to set, and to what. */
  input: ResetScopeStatesInput;
}

/** The arguments of `Mutation.deleteScopeStates`. */
export interface MutationDeleteScopeStatesArgs {
  /** Which states to delete. */
  input: DeleteScopeStatesInput;
}

/** What an undo came to, or would come to. */
export interface UndoScopeStateChangePayload {
  /** `PLAN_STALE`, already in a dry run, where a state has moved on since the change, or its unit has another state now: nothing was changed. `IN_FUTURE` where a state would get a time after the database’s clock. */
  outcome: PlanOutcome;
  /** How many states the change touched. */
  matched: number;
  /** How many states were changed: all of them if `APPLIED`, else 0. */
  changed: number;
  /** For the same input again: does what was looked at, once. */
  planToken: string;
  /** Some of the states as they are now, by scope id: at most 20. */
  sample: readonly ScopeState[];
  /** Where states have moved on: the changes that can’t be undone therefore, at most 100. */
  movedOn: readonly ScopeStateChange[];
  /** How many states have moved on. */
  movedOnCount: number;
}

/** What a planned change came to. */
export type PlanOutcome =
  /** A dry run: nothing was changed. Send it again with the `planToken` to apply it. */
  | 'PLANNED'
  /** Done, to every state selected. */
  | 'APPLIED'
  /** The plan does not fit any more: the selection is another set, one of its states was changed, or the plan was applied before. Nothing was changed; the payload shows the selection as it is now, with a new `planToken`. */
  | 'PLAN_STALE'
  /** The timestamp asked for lies after the database’s clock. Nothing was changed. */
  | 'IN_FUTURE';

/** Which change to take back, and why. */
export interface UndoScopeStateChangeInput {
  /** The id of a change of the kind `RESET`, `ACTIVATED`, `DEACTIVATED`, `REKEYED` or `DELETED`: what was done with it, to however many states, is undone as a whole. */
  changeId: string;
  /** Why, for the history: 1 to 1,000 characters, not blank. */
  reason: string;
  /** Absent: a dry run, which answers one. With it, what was planned is done. */
  planToken?: string | null | undefined;
}

/** What an advance came to. */
export interface AdvanceScopeStatePayload {
  /** What the advance came to. */
  outcome: AdvanceOutcome;
  /** Whether the scope id’s legacy state became this unit’s. */
  backfilled: boolean;
  /** The state as it now stands, after a refusal too; null if there is none, or `FORBIDDEN`. */
  scopeState: ScopeState | null;
}

/** What an advance came to: the first that fits, in this order: FORBIDDEN, UNCHANGED, IN_FUTURE, STALE or CREATED where there is no state, INACTIVE, STALE, REGRESSION, ADVANCED. Only CREATED and ADVANCED store the timestamp. */
export type AdvanceOutcome =
  /** The unit had no state; now it has this one, active. */
  | 'CREATED'
  /** The timestamp asked for is stored. */
  | 'ADVANCED'
  /** It was stored already (by you, if an answer was lost): nothing to do. A legacy state is taken over. */
  | 'UNCHANGED'
  /** The timestamp asked for lies before the stored one: somebody has rated further. Nothing was changed. */
  | 'REGRESSION'
  /** The state is not what the collector believed: not the one `expected`, or an operator has moved it since the unit was last checked or advanced. Nothing was changed: check again, then rate what is due. */
  | 'STALE'
  /** The scope is switched off. Nothing was changed: leave it alone. */
  | 'INACTIVE'
  /** The timestamp asked for lies after the database’s clock. Nothing was changed: look at your clock. */
  | 'IN_FUTURE'
  /** The unit is not one of those that the caller is granted, whether it has a state or not. Nothing was changed; the other items of a batch are done. Sending it again mends nothing. */
  | 'FORBIDDEN';

/** What has been rated. */
export interface AdvanceScopeStateInput {
  /** Whose state. */
  unit: CollectionUnitInput;
  /** The start of the last period that has been rated; not in the future. */
  lastProcessedTimestamp: DateTime;
  /** What the collector believes is stored; null for “no state yet”. If it is something else, the outcome is `STALE`. Absent (which is not null): any earlier state will do, unless an operator has moved it meanwhile. */
  expected?: DateTime | null | undefined;
}

/** What the advances came to. */
export interface AdvanceScopeStatesPayload {
  /** One for each item, in the order given. */
  results: readonly AdvanceScopeStatePayload[];
}

/** What has been rated. */
export interface AdvanceScopeStatesInput {
  /** At most 1,000. Items of one scope id act in the order given. */
  advances: readonly AdvanceScopeStateInput[];
}

/** What a check of a unit came to. */
export interface CheckScopeStatePayload {
  /** What the check came to. */
  outcome: CheckOutcome;
  /** The unit’s state; null when it is `UNKNOWN` or `FORBIDDEN`. */
  scopeState: ScopeState | null;
  /** The period to rate next; null when nothing is due, or `FORBIDDEN`. An unknown unit starts with the first period of the current month (UTC). */
  nextPeriod: Period | null;
}

/** What a check of a unit came to. */
export type CheckOutcome =
  /** The unit has a state. */
  | 'FOUND'
  /** The unit had none, but its scope id had a legacy state: that one is the unit’s from now on, its timestamp unchanged. Exactly one unit is ever told so of one legacy state. */
  | 'BACKFILLED'
  /** Neither: nothing was written. The unit’s first advance creates its state. */
  | 'UNKNOWN'
  /** The unit is not one of those that the caller is granted, whether it has a state or not. Nothing was changed; the other items of a batch are done. Sending it again mends nothing. */
  | 'FORBIDDEN';

/** The unit to check. */
export interface CheckScopeStateInput {
  /** The unit to check. */
  unit: CollectionUnitInput;
}

/** What the checks came to. */
export interface CheckScopeStatesPayload {
  /** One for each unit, in the order given. */
  results: readonly CheckScopeStatePayload[];
}

/** The units to check. */
export interface CheckScopeStatesInput {
  /** At most 1,000. Units of one scope id act in the order given: they compete for one legacy state. */
  units: readonly CollectionUnitInput[];
}

/** What a creation came to. */
export interface CreateScopeStatePayload {
  /** What the creation came to. */
  outcome: CreateOutcome;
  /** The unit’s state as it now stands; null if it has none, or `FORBIDDEN`. */
  scopeState: ScopeState | null;
}

/** What a creation came to. */
export type CreateOutcome =
  /** The unit has this state now. */
  | 'CREATED'
  /** The unit has a state, whatever it says. Nothing was changed. */
  | 'ALREADY_EXISTS'
  /** The timestamp lies after the database’s clock. Nothing was changed. */
  | 'IN_FUTURE'
  /** The unit is not one of those that the caller is granted, whether it has a state or not. Nothing was changed; the other items of a batch are done. Sending it again mends nothing. */
  | 'FORBIDDEN';

/** The state to create. */
export interface CreateScopeStateInput {
  /** Whose state. */
  unit: CollectionUnitInput;
  /** The start of the last period that has been rated; not in the future. */
  lastProcessedTimestamp: DateTime;
  /** Whether it may be advanced. */
  active?: boolean | undefined;
}

/** What a rekey came to. */
export interface RekeyScopeStatePayload {
  /** What the rekey came to. */
  outcome: RekeyOutcome;
  /** The state of that id as it now stands, after a refusal too; null if there is none, or `FORBIDDEN`. */
  scopeState: ScopeState | null;
}

/** What a rekey came to. */
export type RekeyOutcome =
  /** The state is the new unit’s. */
  | 'REKEYED'
  /** It was that unit’s already. */
  | 'UNCHANGED'
  /** That unit has another state. Nothing was changed: delete one of the two first. */
  | 'UNIT_TAKEN'
  /** There is no state of that id. */
  | 'NOT_FOUND'
  /** The unit is not one of those that the caller is granted, whether it has a state or not. Nothing was changed; the other items of a batch are done. Sending it again mends nothing. */
  | 'FORBIDDEN';

/** Which state to move, and where. */
export interface RekeyScopeStateInput {
  /** The state to move; a legacy or a partly filled one too. */
  id: string;
  /** The unit that it is to belong to. */
  unit: CollectionUnitInput;
  /** Why, for whoever asks later: 1 to 1,000 characters, not blank. */
  reason: string;
}

/** What a switch, or its dry run, came to. */
export interface SetScopeActivationPayload {
  /** What it came to. */
  outcome: PlanOutcome;
  /** How many states are selected. */
  matched: number;
  /** How many states were changed: 0 unless `APPLIED`. */
  changed: number;
  /** The first of the selected states by scope id, at most 20: as changed if `APPLIED`, else as they are. */
  sample: readonly ScopeState[];
  /** The `ids` or `units` asked for that have no state, or one that the caller is not granted; a unit as the JSON of its four texts. */
  unmatched: readonly string[];
  /** Applies this very plan, once, as long as it fits; null where none is needed. */
  planToken: string | null;
}

/** Which scopes to switch on or off. */
export interface SetScopeActivationInput {
  /** Which states: by `ids` or `units` they are switched at once, by `filter` or `all` planned and applied. */
  select: ScopeStateSelector;
  /** Whether they may be advanced. */
  active: boolean;
  /** Why, for whoever asks later: 1 to 1,000 characters, not blank. */
  reason: string;
  /** With `filter` or `all`: the token of a dry run, to apply it. Absent: a dry run. */
  planToken?: string | null | undefined;
}

/** Which states an operator means: exactly one of these. Nothing is backfilled by selecting. */
export type ScopeStateSelector =
  | {
      /** States by their ids, at most 1,000. */
      ids: readonly string[];
      units?: never;
      filter?: never;
      all?: never;
    }
  | {
      /** The states of exactly these units, at most 1,000; never a legacy state. */
      units: readonly CollectionUnitInput[];
      ids?: never;
      filter?: never;
      all?: never;
    }
  | {
      /** Whatever the filter matches. At least one of its fields must not be null: a variable left out must not select everything. */
      filter: ScopeStateFilter;
      ids?: never;
      units?: never;
      all?: never;
    }
  | {
      /** All states there are; only `true` is allowed. */
      all: boolean;
      ids?: never;
      units?: never;
      filter?: never;
    };

/** What a reset, or its dry run, came to. */
export interface ResetScopeStatesPayload {
  /** What it came to. */
  outcome: PlanOutcome;
  /** How many states are selected. */
  matched: number;
  /** How many states were changed: 0 unless `APPLIED`. */
  changed: number;
  /** The first of the selected states by scope id, at most 20: as changed if `APPLIED`, else as they are. */
  sample: readonly ScopeState[];
  /** The `ids` or `units` asked for that have no state, or one that the caller is not granted; a unit as the JSON of its four texts. */
  unmatched: readonly string[];
  /** How many of the states have advanced between the plan and its application; that does not spoil it. By the database’s clock: an advance that was just being written when the plan was made may be missing. */
  advancedSincePlan: number;
  /** Applies this very plan, once, as long as it fits. */
  planToken: string;
}

/** Which states to set, and to what. */
export interface ResetScopeStatesInput {
  /** Which states; inactive ones are reset too. */
  select: ScopeStateSelector;
  /** What they are set to, earlier or later than now stored; not in the future. */
  lastProcessedTimestamp: DateTime;
  /** Why, for whoever asks later: 1 to 1,000 characters, not blank. */
  reason: string;
  /** The token of a dry run with the same selection and timestamp: apply it. Absent: a dry run. */
  planToken?: string | null | undefined;
}

/** What a deletion, or its dry run, came to. Any change of a selected state spoils its plan, an advance too. */
export interface DeleteScopeStatesPayload {
  /** What it came to. */
  outcome: PlanOutcome;
  /** How many states are selected. */
  matched: number;
  /** How many states were changed: 0 unless `APPLIED`. */
  changed: number;
  /** The first of the selected states by scope id, at most 20: as changed if `APPLIED`, else as they are. */
  sample: readonly ScopeState[];
  /** The `ids` or `units` asked for that have no state, or one that the caller is not granted; a unit as the JSON of its four texts. */
  unmatched: readonly string[];
  /** Applies this very plan, once, as long as it fits. */
  planToken: string | null;
}

/** Which states to delete. */
export interface DeleteScopeStatesInput {
  /** Which states. */
  select: ScopeStateSelector;
  /** Why, for whoever asks later: 1 to 1,000 characters, not blank. */
  reason: string;
  /** The token of a dry run with the same selection: apply it. Absent: a dry run. */
  planToken?: string | null | undefined;
}

/** What is told as it happens, over a WebSocket or server-sent events. */
export interface Subscription {
  /** Changes of states, whoever makes them: through any scopestate server of the database, or past all of them. Over WebSocket (`graphql-transport-ws`) at this address, or as server-sent events at `/graphql/stream`. */
  scopeStateChanged: ScopeStateEvent;
}

/** The arguments of `Subscription.scopeStateChanged`. */
export interface SubscriptionScopeStateChangedArgs {
  /** The `sequence` of the last event that was seen: first comes all that was changed since. Without it, what is changed from now on. */
  afterSequence?: string | null | undefined;
  /** Which states: a change is sent when the state matched before it or matches after it. */
  filter?: ScopeStateFilter | null | undefined;
}

/** A change of a state, sent once it is committed. Changes of one state come in the order in which they were made. */
export interface ScopeStateEvent {
  /** Grows from event to event: a whole number as text. Whoever subscribes again with the last one as `afterSequence` misses nothing and sees nothing twice. */
  sequence: string;
  /** What was done. */
  kind: ScopeStateEventKind;
  /** The id of the state that was changed; null for `RESYNC`. */
  scopeStateId: string | null;
  /** The state after the change, with `lag` and what is due as of then; it may be one that the filter does not let through any more. Null where the change removed it or moved it to a unit that the subscriber is not granted, and for `RESYNC`. */
  scopeState: ScopeState | null;
  /** When it was changed, by the database’s clock; null for `RESYNC`. */
  changedAt: DateTime | null;
}

/** What was done to a state, or that the subscriber has to load everything anew. */
export type ScopeStateEventKind =
  /** The state was made: by an advance, or by `createScopeState`. */
  | 'CREATED'
  /** A legacy state was taken over by the first unit that was checked or advanced; an advance that did so may have moved it with the same change. */
  | 'BACKFILLED'
  /** A collector said that it has rated further. Two advances of one batch are one change. */
  | 'ADVANCED'
  /** An operator set it, back or forward. */
  | 'RESET'
  /** The scope was switched on. */
  | 'ACTIVATED'
  /** The scope was switched off. */
  | 'DEACTIVATED'
  /** The state was moved to another unit. */
  | 'REKEYED'
  /** The state was deleted. */
  | 'DELETED'
  /** `scopestate import` made or changed it. */
  | 'IMPORTED'
  /** A change was undone: the state is again what it was before. */
  | 'UNDONE'
  /** Another program (CloudKitty itself, psql) wrote to the table: made, changed or removed the state. None of scopestate’s promises holds for such a write. */
  | 'EXTERNAL'
  /** Something may be missing: the subscriber was away longer than the history goes back, read too slowly, or asked for what comes after a sequence that there is not. Load what you show anew, then subscribe after this event’s `sequence`. The last event of its subscription. */
  | 'RESYNC';
