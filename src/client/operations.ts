import type * as schema from './schema-types.js';

/** What the client asks of a state: every field of one value, and the next period. */
const stateFields = [
  'id',
  'scopeId',
  'scopeKey',
  'collector',
  'fetcher',
  'legacy',
  'lastProcessedTimestamp',
  'active',
  'scopeActivationToggleDate',
  'lastAdvancedAt',
  'updatedAt',
  'version',
  'coveredUntil',
  'lag',
  'duePeriods',
] as const satisfies (keyof schema.ScopeState)[];

/** How far a collection unit has been rated, as the client's methods answer it. */
export type ScopeState = Pick<schema.ScopeState, (typeof stateFields)[number] | 'nextPeriod'>;

const state = `scopeState { ...State }`;
const period = `nextPeriod { start end }`;
const fragment = `fragment State on ScopeState { ${stateFields.join(' ')} ${period} }`;

export const documents = {
  check: `mutation Check($input: CheckScopeStatesInput!) {
    checkScopeStates(input: $input) { results { outcome ${state} ${period} } } } ${fragment}`,
  advance: `mutation Advance($input: AdvanceScopeStatesInput!) {
    advanceScopeStates(input: $input) { results { outcome backfilled ${state} } } } ${fragment}`,
  create: `mutation Create($input: CreateScopeStateInput!) {
    createScopeState(input: $input) { outcome ${state} } } ${fragment}`,
  find: `query Find($unit: CollectionUnitInput!) { scopeState(unit: $unit) { ...State } } ${fragment}`,
  page: `query Page($filter: ScopeStateFilter, $orderBy: ScopeStateOrder, $first: Int, $after: String) {
    scopeStates(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
      nodes { ...State } pageInfo { hasNextPage endCursor } } } ${fragment}`,
};

/** What a check of a unit came to. */
export interface CheckResult {
  readonly outcome: schema.CheckOutcome;
  /** the unit's state; null when the outcome is `UNKNOWN` or `FORBIDDEN` */
  readonly scopeState: ScopeState | null;
  /** the period to rate next; null when nothing is due. An unknown unit begins with the first of the month (UTC). */
  readonly nextPeriod: schema.Period | null;
}

/** What an advance came to. */
export interface AdvanceResult {
  readonly outcome: schema.AdvanceOutcome;
  /** whether the scope id's legacy state became this unit's; false when the answer that said so was lost */
  readonly backfilled: boolean;
  /** the state as it now stands, after a refusal too; null if there is none, or when the outcome is `FORBIDDEN` */
  readonly scopeState: ScopeState | null;
}

/** What a creation came to. */
export interface CreateResult {
  readonly outcome: schema.CreateOutcome;
  /** the unit's state as it now stands; null if it has none */
  readonly scopeState: ScopeState | null;
  /** The answer to an earlier attempt was lost: the state that `ALREADY_EXISTS` may be the one that this call created. */
  readonly answerLost: boolean;
}
