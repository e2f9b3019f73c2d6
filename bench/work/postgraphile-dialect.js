// PostGraphile makes its own schema of the table, its comments and its functions: see peers/postgraphile.sql.
const fields = 'scopeId scopeKey collector fetcher lastProcessedTimestamp active version';
const page = (condition, declared) => `query ($first: Int!, $after: Cursor${declared}) {
  scopeStates: allScopeStates(first: $first, after: $after, orderBy: [SCOPE_ID_ASC]${condition}) {
    nodes { ${fields} } pageInfo { hasNextPage endCursor } } }`;

const documents = {
  read: `query ($scopeId: String!, $scopeKey: String!, $collector: String!, $fetcher: String!) {
    scopeStateByScopeIdAndScopeKeyAndCollectorAndFetcher(
      scopeId: $scopeId, scopeKey: $scopeKey, collector: $collector, fetcher: $fetcher
    ) { scopeId lastProcessedTimestamp active version } }`,
  check: `mutation ($input: CheckScopeStateInput!) {
    checkScopeState(input: $input) { result { scopeId lastProcessedTimestamp version } } }`,
  advance: `mutation ($input: AdvanceScopeStateInput!) {
    advanceScopeState(input: $input) { result { scopeId lastProcessedTimestamp version } } }`,
  batch: `mutation ($input: AdvanceScopeStatesInput!) { advanceScopeStates(input: $input) { result } }`,
  page: page('', ''),
  filtered: page(
    ', condition: { collector: $collector, active: $active }',
    ', $collector: String!, $active: Boolean!',
  ),
  deep: page('', ''),
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

function variables(operation, { unit, advances, filter, ...page }) {
  if (operation === 'read') return unit;
  if (operation === 'check') return { input: unit };
  if (operation === 'advance') return { input: { ...advances[0].unit, processed: advances[0].timestamp } };
  if (operation === 'batch') {
    const list = (field) => advances.map(({ unit: texts }) => texts[field]);
    return {
      input: {
        scopeIds: list('scopeId'),
        scopeKeys: list('scopeKey'),
        collectors: list('collector'),
        fetchers: list('fetcher'),
        processed: advances.map(({ timestamp }) => timestamp),
      },
    };
  }
  return { ...page, ...filter };
}

/** A function that changed nothing answers null: its outcome is in that. */
export function answer(operation, { data }) {
  if (operation === 'read') return { state: data.scopeStateByScopeIdAndScopeKeyAndCollectorAndFetcher };
  if (operation === 'check') {
    const state = data.checkScopeState.result;
    return { outcome: state ? 'FOUND' : 'UNKNOWN', state };
  }
  if (operation === 'advance') {
    const state = data.advanceScopeState.result;
    return { outcome: state ? 'ADVANCED' : 'REGRESSION', state };
  }
  if (operation === 'batch') return { outcomes: data.advanceScopeStates.result };
  const { nodes, pageInfo } = data.scopeStates;
  return { nodes, hasNextPage: pageInfo.hasNextPage };
}

export function lastCursorQuery(size) {
  return `{ scopeStates: allScopeStates(last: ${size + 1}, orderBy: [SCOPE_ID_ASC]) { edges { cursor } } }`;
}
