import { operations } from '../support/state-api.js';
import { unit } from '../support/units.js';

/** Who asks: the name of a token, or nobody. */
export type Asking = 'admin' | 'reader' | 'gnocchi' | 'unseen' | 'none';

export const at = '2026-01-01T00:00:00Z';
export const [one, other] = [unit(), unit({ scopeKey: 'clé 😀' })] as const;
/** of a year that RFC 3339 has no digits for, which only a constraint that is gone lets in */
export const late = [unit(), unit()] as const;

export const asked = (query: string, variables?: unknown) => JSON.stringify({ query, variables });
const advanceOf = (timestamp: unknown, more: object = {}) =>
  asked(operations.advance, { input: { unit: one, lastProcessedTimestamp: timestamp, ...more } });

/** Exactly one of the selector's fields is needed, and this one may be null. */
export const activation = asked(
  'mutation ($ids: [ID!]) { setScopeActivation(input: { active: true, reason: "r", select: { ids: $ids } }) { outcome } }',
  { ids: null },
);

/** What is answered by the short way, once the document is known. */
export const plainOnes: [string, string, Asking?][] = [
  ['a look-up', asked(operations.find, { unit: one })],
  ['a look-up of what is beyond ASCII', asked(operations.find, { unit: other })],
  ['a look-up of nothing', asked(operations.find, { unit: { ...one, collector: 'none' } })],
  ['a look-up of what is not granted', asked(operations.find, { unit: one }), 'gnocchi'],
  ['a page', asked(operations.page, { first: 10 })],
  [
    'variables that are null',
    JSON.stringify({ query: '{ __typename }', variables: null, operationName: null }),
  ],
  ['no variables', asked('{ __typename }')],
  [
    'a page with all that a state says, under other names',
    asked(`query ($last: Int = 2) {
      page: scopeStates(last: $last, orderBy: { field: LAST_PROCESSED_TIMESTAMP }) {
        __typename edges { at: cursor node { ...All again: scopeId } } pageInfo { hasNextPage startCursor endCursor }
      }
    } fragment All on ScopeState {
      __typename id scopeId legacy lastProcessedTimestamp scopeActivationToggleDate lastAdvancedAt updatedAt version
    }`),
  ],
  [
    'an empty page',
    asked('{ scopeStates(filter: { scopeIds: ["nobody"] }) { nodes { id } pageInfo { endCursor } } }'),
  ],
  ['an argument that a variable makes a wrong one', activation],
  [
    'an argument that must not be null, and is',
    asked(
      `query ($unit: CollectionUnitInput = { scopeId: "a", scopeKey: "b", collector: "c", fetcher: "d" }) {
        scopeState(unit: $unit) { version } }`,
      { unit: null },
    ),
  ],
  ['a count', asked('{ scopeStates(first: 1) { totalCount nodes { scopeId } } }')],
  [
    'the changes of states',
    asked('{ scopeStates(first: 2) { nodes { changes(first: 1) { nodes { kind } } } } }'),
  ],
  ['changes', asked('{ scopeStateChanges(first: 2) { nodes { __typename sequence kind } } }')],
  [
    'a node',
    asked('query ($id: ID!) { node(id: $id) { __typename id ... on ScopeState { version } } }', { id: 'x' }),
  ],
  [
    'a page that is refused',
    asked('query ($first: Int) { scopeStates(first: $first) { nodes { id } } }', { first: 0 }),
  ],
  ['a cursor that is none', asked('{ scopeStates(after: "x") { nodes { id } } }')],
  [
    'a time that can not be written',
    asked(
      'query ($unit: CollectionUnitInput!) { scopeState(unit: $unit) { scopeId lastProcessedTimestamp coveredUntil } }',
      {
        unit: late[0],
      },
    ),
  ],
  [
    'a page of times that can not be written',
    asked(
      'query ($ids: [String!]) { scopeStates(filter: { scopeIds: $ids }) { nodes { lastProcessedTimestamp } } }',
      {
        ids: late.map(({ scopeId }) => scopeId),
      },
    ),
  ],
  [
    'a mutation of a state whose time can not be written',
    asked(operations.check, { input: { unit: late[0] } }),
  ],
  ['an operation by its name', JSON.stringify({ query: 'query Name { __typename }', operationName: 'Name' })],
  ['the schema', asked('{ __schema { queryType { name } } }')],
  ['an advance that was done', advanceOf(at)],
  ['an advance that goes back', advanceOf('2025-12-01T00:00:00Z', { expected: at })],
  ['an advance that is not granted', advanceOf(at), 'gnocchi'],
  [
    'a batch',
    asked(operations.advanceAll, {
      input: { advances: [one, other].map((scope) => ({ unit: scope, lastProcessedTimestamp: at })) },
    }),
  ],
  ['a text that the rules refuse', asked(operations.find, { unit: { ...one, scopeId: '' } })],
  [
    'a text that the rules refuse a mutation',
    asked(operations.check, { input: { unit: { ...one, fetcher: 'x'.repeat(41) } } }),
  ],
  ['a mutation of somebody who may only read', advanceOf(at), 'reader'],
  [
    'some of several fields at fault',
    asked(
      'query ($unit: CollectionUnitInput!, $bad: CollectionUnitInput!) { good: scopeState(unit: $unit) { version } bad: scopeState(unit: $bad) { version } }',
      { unit: one, bad: { ...one, scopeKey: '' } },
    ),
  ],
];

/** What looks plain, and takes the long way after all. */
export const otherOnes: [string, string | Buffer, Asking?][] = [
  ['a value that its type refuses', advanceOf('yesterday')],
  ['a variable that is missing', asked(operations.find, {})],
  ['a field that is not known', asked(operations.find, { unit: { ...one, extra: 1 } })],
  [
    'two of exactly one',
    asked(operations.reset, {
      input: { select: { all: true, ids: [] }, lastProcessedTimestamp: at, reason: 'r' },
    }),
  ],
  ['more than may be asked for', asked(operations.page, { first: 1000 })],
  ['another operation’s name', JSON.stringify({ query: '{ __typename }', operationName: 'Other' })],
  ['an empty operation name', JSON.stringify({ query: '{ __typename }', operationName: '' })],
  ['a name that is a number', JSON.stringify({ query: '{ __typename }', operationName: 1 })],
  ['variables that are a list', JSON.stringify({ query: '{ __typename }', variables: [] })],
  ['variables that are a text', JSON.stringify({ query: '{ __typename }', variables: '{}' })],
  [
    'extensions',
    JSON.stringify({
      query: '{ __typename }',
      extensions: { persistedQuery: { version: 1, sha256Hash: 'x' } },
    }),
  ],
  ['a directive', asked('{ __typename @skip(if: true) }')],
  [
    'two operations',
    JSON.stringify({ query: 'query A { __typename } query B { __typename }', operationName: 'B' }),
  ],
  ['a document that is none', asked('{ nothing }')],
  ['a document that can’t be read', asked('{')],
  ['a list of requests', JSON.stringify([{ query: '{ __typename }' }])],
  ['a text instead of an object', '"{ __typename }"'],
  ['an object without keys', '{}'],
  ['no JSON', '{"query": '],
  ['no body', ''],
  [
    'no UTF-8',
    Buffer.concat([
      Buffer.from('{"query":"{ __typename }","variables":{"a":"'),
      Buffer.from([0xff]),
      Buffer.from('"}}'),
    ]),
  ],
  ['a byte order mark', '\uFEFF{"query":"{ __typename }"}'],
  ['a name that reaches a prototype', '{"query":"{ __typename }","variables":{"__proto__":{"a":1}}}'],
  ['one that is hidden by escapes', '{"query":"{ __typename }","variables":{"\\u005f_proto__":{"a":1}}}'],
  [
    'the prototype of a constructor',
    '{"query":"{ __typename }","variables":{"constructor":{"prototype":{}}}}',
  ],
  ['a subscription', asked('subscription { scopeStateChanged { sequence } }')],
];
