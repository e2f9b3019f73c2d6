import { describe, expect, test } from '@jest/globals';
import { longestMessage, useAttackedServer } from './attacked-server.js';

const attacked = useAttackedServer();

const parse = 'GRAPHQL_PARSE_FAILED';
const validation = 'GRAPHQL_VALIDATION_FAILED';
const input = 'BAD_USER_INPUT';

const times = (n: number, textOf: (place: number) => string) =>
  Array.from({ length: n }, (_, place) => textOf(place)).join(' ');
const nested = (n: number, open: string, inside: string, close = '}') =>
  open.repeat(n) + inside + close.repeat(n);
const someUnit = `{ scopeId: "a", scopeKey: "b", collector: "c", fetcher: "d" }`;
const look = `scopeState(unit: ${someUnit}) { id }`;

/** Fragments that each spread the next one twice: 2^n fields in a document of a few lines. */
const doubling = (n: number) =>
  `{ ${look.replace('{ id }', '{ ...f0 }')} } ${times(n, (i) => `fragment f${i} on ScopeState { ...f${i + 1} ...f${i + 1} }`)}
   fragment f${n} on ScopeState { id }`;

/** What is sent, and the code that must come back. */
const documents: [name: string, document: string, code: string][] = [
  ['10,000 aliases', `{ ${times(10_000, (i) => `a${i}: __typename`)} }`, parse],
  ['400 aliases of __typename', `{ ${times(400, (i) => `a${i}: __typename`)} }`, validation],
  ['90 aliases of a look-up', `{ ${times(90, (i) => `a${i}: ${look}`)} }`, parse],
  ['110 look-ups by id', `{ ${times(110, (i) => `a${i}: node(id: "a") { id }`)} }`, validation],
  [
    '90 aliases of a mutation',
    `mutation { ${times(90, (i) => `a${i}: checkScopeState(input: { unit: ${someUnit} }) { outcome }`)} }`,
    parse,
  ],
  ['a depth of 5,000', nested(5_000, '{ a ', ''), parse],
  [
    'a depth of 300',
    `{ __schema { types ${nested(300, '{ fields { type ', '{ name }', ' } }')} } }`,
    validation,
  ],
  [
    'a depth of 60 in a list of types',
    `{ __type(name: "ScopeState") { fields { type ${nested(60, '{ ofType ', '{ name }')} } } }`,
    validation,
  ],
  ['20,000 brackets in a value', `{ node(id: ${nested(20_000, '[', '', ']')}) { id } }`, parse],
  [
    '20,000 brackets in a type',
    `query ($a: ${nested(20_000, '[', 'ID', ']')}) { node(id: $a) { id } }`,
    parse,
  ],
  ['900 brackets in a value', `{ node(id: ${nested(900, '[', '', ']')}) { id } }`, validation],
  ['20,000 braces in a value', `{ node(id: ${nested(20_000, '{ a: ', '1')}) { id } }`, parse],
  ['brackets that never close', '{'.repeat(100_000), parse],
  ['a fragment that spreads itself', `{ ...a } fragment a on Query { ...a }`, validation],
  [
    'fragments in a circle',
    `{ ...a } fragment a on Query { ...b } fragment b on Query { ...c } fragment c on Query { ...a }`,
    validation,
  ],
  ['fragments that double 12 times', doubling(12), validation],
  ['fragments that double 100 times', doubling(100), validation],
  [
    'a circle through a field',
    `{ node(id: "a") { ...a } } fragment a on ScopeState { changes { nodes { after { ...a } } } }`,
    validation,
  ],
  [
    '1,000 unused fragments',
    `{ __typename } ${times(300, (i) => `fragment f${i} on Query { __typename }`)}`,
    parse,
  ],
  ['200 directives on a field', `{ __typename ${times(200, () => '@include(if: true)')} }`, validation],
  ['200 directives that there are not', `{ __typename ${times(200, (i) => `@d${i}`)} }`, validation],
  ['a directive that takes an object', `{ __typename @include(if: { a: 1 }) }`, validation],
  ['fields that conflict, many times', `{ ${times(150, (i) => `a: node(id: "${i}") { id }`)} }`, validation],
  [
    'conflicts in depth',
    `{ ${times(40, (i) => `scopeStates(first: ${i + 1}) { nodes { id } }`)} }`,
    validation,
  ],
  ['500 operations', times(500, (i) => `query q${i} { __typename }`), parse],
  ['300 variables', `query (${times(300, (i) => `$v${i}: Int`)}) { __typename }`, validation],
  ['the same variable twice', `query ($a: ID!, $a: ID!) { node(id: $a) { id } }`, validation],
  ['a variable of an output type', `query ($a: ScopeState) { __typename }`, validation],
  [
    'introspection in circles',
    `{ __schema ${nested(12, '{ types { fields { type ', '{ name }', '} } }').replace('{ types { fields', '{ types { fields')} }`,
    validation,
  ],
  [
    'a page of pages',
    `{ scopeStates(first: 1000) { nodes { changes(first: 1000) { nodes { after { changes(first: 1000) { nodes { id } } } } } } } }`,
    input,
  ],
  ['the field __proto__', '{ __proto__ }', validation],
  ['the field constructor', '{ constructor { name } }', validation],
  ['the argument __proto__', '{ node(__proto__: 1) { id } }', validation],
  ['the type __proto__', '{ __typename ... on __proto__ { id } }', validation],
  ['a name of 100,000 characters', `{ ${'a'.repeat(100_000)} }`, validation],
  ['an int of 1,000 digits', `{ scopeStates(first: ${'9'.repeat(1_000)}) { nodes { id } } }`, validation],
  ['a float without an end', `{ scopeStates(first: 1e999999) { nodes { id } } }`, validation],
  ['a text of a megabyte', `{ node(id: "${'x'.repeat(1_000_000)}") { id } }`, input],
  ['a block text of a megabyte', `{ node(id: """${'\n '.repeat(500_000)}""") { id } }`, input],
  ['a comment of a megabyte and no more', `#${'x'.repeat(1_000_000)}`, parse],
  ['a text without an end', '{ node(id: "', parse],
  ['an escape that is none', String.raw`{ node(id: "\x41") { id } }`, parse],
  ['a lone surrogate as an escape', String.raw`{ node(id: "\ud800") { id } }`, parse],
  ['a code point beyond Unicode', String.raw`{ node(id: "\u{110000}") { id } }`, parse],
  ['a NUL', '{ a\0 }', parse],
  ['an escape sequence', '{ \u001b[2J }', parse],
  ['nothing', '', input],
  ['blanks', ' \n ', parse],
  ['a mutation that there is not', 'mutation { dropAll }', validation],
  ['two root types', 'query { checkScopeState(input: {}) { outcome } }', validation],
  ['a subscription', 'subscription { scopeStateChanged { sequence } }', input],
  [
    'a subscription of two fields',
    'subscription { a: scopeStateChanged { sequence } b: scopeStateChanged { sequence } }',
    validation,
  ],
  ['a type definition', 'type Query { a: Int }', validation],
  ['a schema extension beside a query', '{ __typename } extend type Query { a: Int }', validation],
  ['@defer', '{ ... @defer { __typename } }', validation],
  [
    'an enum as a text with SQL',
    `{ scopeStates(orderBy: { field: "id; drop table x" }) { nodes { id } } }`,
    validation,
  ],
  ['an enum with a blank', '{ scopeStates(orderBy: { field: SCOPE_ID desc }) { nodes { id } } }', parse],
  ['a second argument of one name', '{ node(id: "a", id: "b") { id } }', validation],
  [
    'two ways of @oneOf',
    `mutation { deleteScopeStates(input: { select: { all: true, ids: [] }, reason: "a" }) { outcome } }`,
    validation,
  ],
];

describe('a document', () => {
  test.each(documents)('%s', async (_name, document, code) => {
    const { errors, data } = await attacked.strike(document);
    expect(Object.values(data ?? {}).filter((value) => value !== null)).toEqual([]);
    expect(errors!.length).toBeLessThanOrEqual(100);
    expect([...new Set(errors!.map(({ extensions }) => extensions.code))]).toEqual([code]);
    for (const { message } of errors!) expect(message.length).toBeLessThanOrEqual(longestMessage);
  });

  test('of the largest size that is taken is answered', async () => {
    const { data } = await attacked.strike(`{ ${times(15, (i) => `a${i}: ${look}`)} }`);
    expect(Object.keys(data!)).toHaveLength(15);
  });
});

describe('what stands beside the document', () => {
  test.each([
    ['a name that there is not', { operationName: 'b' }],
    ['a name with an escape sequence', { operationName: '\u001b[31m\r\n{"level":"fatal"}' }],
    ['a name with half of a surrogate pair', { operationName: 'a\ud800' }],
    ['a name that is an object', { operationName: { $ne: null } }],
    ['a name of a megabyte', { operationName: 'x'.repeat(1_000_000) }],
    ['extensions that are a list', { extensions: [] }],
    [
      'a hash of a persisted query',
      { extensions: { persistedQuery: { version: 1, sha256Hash: '0'.repeat(64) } } },
    ],
  ])('%s', async (name, more) => {
    const { errors } = await attacked.strike('query a { __typename }', {}, more);
    if (name.startsWith('a hash'))
      return expect(errors === undefined || errors[0]!.extensions.code === input).toBe(true);
    expect(errors!.map(({ extensions }) => extensions.code)).toEqual([input]);
  });

  test.each([
    ['a text', '{"a":1}'],
    ['a number', 1],
    ['a list', [1]],
    ['another variable', { a: 1, __typename: 'x' }],
    ['a list 5,000 deep', JSON.parse(nested(5_000, '[', '', ']')) as unknown],
    ['100,000 variables', Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`v${i}`, i]))],
  ])('variables that are %s', async (_name, variables) => {
    const { errors } = await attacked.strike('query ($id: ID!) { node(id: $id) { id } }', variables);
    expect(errors!.map(({ extensions }) => extensions.code)).toEqual([input]);
  });

  test('a variable 5,000 deep', async () => {
    const id = JSON.parse(nested(5_000, '{"a":', '1')) as unknown;
    const { errors } = await attacked.strike('query ($id: ID!) { node(id: $id) { id } }', { id });
    expect(errors!.map(({ extensions }) => extensions.code)).toEqual([input]);
  });
});
