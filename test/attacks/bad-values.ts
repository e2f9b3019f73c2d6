/** Bad inputs by their GraphQL type: a name, and the value as JSON carries it. */
export type BadValue = [name: string, value: unknown];

/** No scalar takes these, whatever its type. */
const wrongShapes: BadValue[] = [
  ['an object', {}],
  ['an operator of MongoDB', { $ne: null }],
  ['an object with __proto__ inside', JSON.parse('{"a":{"b":1}}') as unknown],
  ['a list in a list', [['a']]],
];

const notAText: BadValue[] = [
  ...wrongShapes,
  ['a number', 1],
  ['a fraction', 1.5],
  ['true', true],
  ['a list', ['a', 'b']],
];

const controls: BadValue[] = [
  ['NUL', 'a\0b'],
  ['CR and LF', 'a\r\nSet-Cookie: a=b'],
  ['a line feed', 'a\n{"level":"fatal"}'],
  ['an escape sequence', '\u001b[2J\u001b]0;owned\u0007'],
  ['backspaces', 'a\b\b\b'],
  ['DEL', 'a\u007f'],
  ['C1', 'a\u009b31m'],
  ['a lone surrogate', 'a\ud800'],
  ['the other lone surrogate', '\udfffa'],
];

export const badTexts = (longest: number): BadValue[] => [
  ...notAText,
  ...controls,
  ['null', null],
  ['nothing', ''],
  ['a text that is too long', 'x'.repeat(longest + 1)],
  ['a text that is far too long', 'x'.repeat(100_000)],
  ['astral characters, too many', '💥'.repeat(longest + 1)],
];

/** Texts that look dangerous and are none: they have to be taken for what they are. */
export const harmlessTexts: BadValue[] = [
  ['SQL', `'; drop table states; --`],
  ['SQL in double quotes', `" or 1=1 --`],
  ['wildcards', '%_%'],
  ['a backslash at the end', 'a\\'],
  ['a dollar quote', '$$;select 1;$$'],
  ['a placeholder', '$1'],
  ['JNDI', '${jndi:ldap://127.0.0.1/a}'],
  ['a template', '{{7*7}}'],
  ['a path', '../../../../etc/passwd'],
  ['a script', '<script>alert(1)</script>'],
  ['the word null', 'null'],
  ['the word __proto__', '__proto__'],
  ['the word constructor', 'constructor'],
  ['the word toString', 'toString'],
  ['bidirectional overrides', 'a\u202ecod\u202c'],
  ['line separators', 'a\u2028b\u2029c'],
  ['a combining pile', `a${'\u0301'.repeat(35)}`],
  ['emoji', '👨‍👩‍👧‍👦'],
  ['a byte order mark', '\ufeffa'],
  ['full-width digits', '１２３'],
  ['a Turkish İ', 'İ'],
  ['blanks around', ' a '],
];

export const badTimes: BadValue[] = [
  ...wrongShapes,
  ['a number', 0],
  ['true', true],
  ['a list', ['2026-01-01T00:00:00Z']],
  ['nothing', ''],
  ...[
    'now',
    'infinity',
    '-infinity',
    'epoch',
    'allballs',
    '2026-01-01',
    '2026-01-01T00:00:00',
    '2026-01-01T24:00:00Z',
  ].map(asItIs),
  ...[
    '2026-06-30T23:59:60Z',
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '20260101T000000Z',
    '2026-W01-1T00:00:00Z',
  ].map(asItIs),
  ...[
    '1969-12-31T23:59:59.999999Z',
    '10000-01-01T00:00:00Z',
    '+010000-01-01T00:00:00Z',
    '-000001-01-01T00:00:00Z',
  ].map(asItIs),
  ...[
    '2026-01-01T00:00:00.1234567Z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00Z[UTC]',
    '2026-01-01T00:00:00Z BC',
  ].map(asItIs),
  ...[
    `2026-01-01T00:00:00Z'; select 1; --`,
    '٢٠٢٦-01-01T00:00:00Z',
    ' 2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z\n',
  ].map(asItIs),
  ['a time of 100,000 characters', `2026-01-01T00:00:00.${'0'.repeat(100_000)}Z`],
];

export const badInts: BadValue[] = [
  ...wrongShapes,
  ['a digit as text', '1'],
  ['true', true],
  ['a list', [1, 2]],
  ['a fraction', 1.5],
  ['2³¹', 2_147_483_648],
  ['-2³¹-1', -2_147_483_649],
  ['1e100', 1e100],
  ['0', 0],
  ['-1', -1],
  ['1001', 1001],
  ['2³¹-1', 2_147_483_647],
];

const coded = (text: string) => Buffer.from(text).toString('base64url');

/** Forged ids; what they decode to would be a number for the database, or more. */
export const badIds: BadValue[] = [
  ...wrongShapes,
  ['null', null],
  ['true', true],
  ['a fraction', 1.5],
  ['a number', 1],
  ['nothing', ''],
  ...[
    '1',
    'abc',
    '=',
    '%00',
    'ScopeState:1',
    'U2NvcGVTdGF0ZTox=',
    'U2NvcGVTdGF0ZTox\n',
    ' U2NvcGVTdGF0ZTox',
  ].map(asItIs),
  ...[
    ':1',
    'ScopeState:',
    'ScopeState:0',
    'ScopeState:-1',
    'ScopeState:01',
    'ScopeState:1.5',
    'ScopeState:1e3',
  ].map(codedForm),
  ...[
    'ScopeState:NaN',
    'ScopeState:0x1',
    `ScopeState:${'9'.repeat(19)}`,
    `ScopeState:${'9'.repeat(400)}`,
  ].map(codedForm),
  ...[
    'User:1',
    'scopestate:1',
    'ScopeState:1;',
    `ScopeState:1' or '1'='1`,
    'ScopeState:1\0',
    '__proto__:1',
  ].map(codedForm),
  ['an id of 100,000 characters', 'A'.repeat(100_000)],
];

/** Forged cursors; a digest that fits is easily made, for there is no secret in it. */
export const badCursors: BadValue[] = [
  ...notAText,
  ['nothing', ''],
  ...['abc', '=', '%00', 'bnVsbA', '\ud800', '\0', '../..', 'first', '0'].map(asItIs),
  ...[
    '[]',
    '["SCOPE_ID","ASC","a",1]',
    '{}',
    'null',
    '0000000000000000[]',
    '0000000000000000["SCOPE_ID","ASC","a",1]',
  ].map(codedForm),
  ['a cursor of 100,000 characters', 'A'.repeat(100_000)],
];

export const badPlanTokens: BadValue[] = [
  ...notAText,
  ...controls,
  ['nothing', ''],
  ...[
    'null',
    'p1',
    'p1--',
    'p0-1-0',
    `p1-0-${'g'.repeat(64)}`,
    `p1-0-${'0'.repeat(63)}`,
    `p1-zzzzzzzzzzzzz-${'0'.repeat(64)}`,
  ].map(asItIs),
  ...[
    `p1--1-${'0'.repeat(64)}`,
    `p1-${'z'.repeat(14)}-${'0'.repeat(64)}`,
    `p1-0-${'0'.repeat(64)} `,
    'eyJhbGciOiJub25lIn0.e30.',
  ].map(asItIs),
  ['a token of 100,000 characters', `p1-0-${'0'.repeat(100_000)}`],
];

export const badReasons: BadValue[] = [
  ...notAText,
  ['null', null],
  ['nothing', ''],
  ['blanks', ' \t '],
  ['NUL', 'a\0'],
  ['a lone surrogate', 'a\ud800'],
  ['1,001 characters', 'x'.repeat(1001)],
];

export const badBooleans: BadValue[] = [
  ...wrongShapes,
  ['a text', 'true'],
  ['1', 1],
  ['0', 0],
  ['a list', [true, false]],
];

export const badEnums: BadValue[] = [
  ...wrongShapes,
  ['a number', 0],
  ['true', true],
  ...[
    '',
    'scope_id',
    'SCOPE_ID ',
    'id; drop table x',
    'id desc',
    '(select 1)',
    '__proto__',
    'constructor',
    'NULL',
  ].map(asItIs),
];

function asItIs(text: string): BadValue {
  return [JSON.stringify(text), text];
}

function codedForm(text: string): BadValue {
  return [`${JSON.stringify(text.slice(0, 40))} in base64url`, coded(text)];
}
