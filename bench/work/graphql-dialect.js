// Ours; Mercurius, Yoga and the tutorial server have the same part of our schema.
const fields = 'scopeId scopeKey collector fetcher lastProcessedTimestamp active version';
const pageQuery = `query ($filter: ScopeStateFilter, $first: Int, $after: String) {
  scopeStates(filter: $filter, first: $first, after: $after) {
    nodes { ${fields} } pageInfo { hasNextPage endCursor } } }`;

const documents = {
  read: `query ($unit: CollectionUnitInput!) {
    scopeState(unit: $unit) { scopeId lastProcessedTimestamp active version } }`,
  check: `mutation ($input: CheckScopeStateInput!) {
    checkScopeState(input: $input) { outcome scopeState { scopeId lastProcessedTimestamp version } } }`,
  advance: `mutation ($input: AdvanceScopeStateInput!) {
    advanceScopeState(input: $input) { outcome scopeState { scopeId lastProcessedTimestamp version } } }`,
  batch: `mutation ($input: AdvanceScopeStatesInput!) { advanceScopeStates(input: $input) { results { outcome } } }`,
  page: pageQuery,
  filtered: pageQuery,
  deep: pageQuery,
};
const heads = Object.fromEntries(
  Object.entries(documents).map(([name, query]) => [
    name,
    `{"query":${JSON.stringify(query.replace(/\s+/g, ' '))},"variables":`,
  ]),
);

export function request(operation, given) {
  return { path: '/graphql', body: `${heads[operation]}${JSON.stringify(variables(operation, given))}}` };
}

function variables(operation, { unit, advances, first, after, filter }) {
  const inputs = advances?.map((step) => ({ unit: step.unit, lastProcessedTimestamp: step.timestamp }));
  if (operation === 'read') return { unit };
  if (operation === 'check') return { input: { unit } };
  if (operation === 'advance') return { input: inputs[0] };
  if (operation === 'batch') return { input: { advances: inputs } };
  return { first, after, filter: filter && { collectors: [filter.collector], active: filter.active } };
}

export function answer(operation, { data }) {
  if (operation === 'read') return { state: data.scopeState };
  if (operation === 'check') {
    return { outcome: data.checkScopeState.outcome, state: data.checkScopeState.scopeState };
  }
  if (operation === 'advance') {
    return { outcome: data.advanceScopeState.outcome, state: data.advanceScopeState.scopeState };
  }
  if (operation === 'batch') {
    return { outcomes: data.advanceScopeStates.results.map(({ outcome }) => outcome) };
  }
  const { nodes, pageInfo } = data.scopeStates;
  return { nodes, hasNextPage: pageInfo.hasNextPage };
}

/** Asks for the cursor that the last `size` states come after. */
export function lastCursorQuery(size) {
  return `{ scopeStates(last: ${size + 1}) { edges { cursor } } }`;
}
