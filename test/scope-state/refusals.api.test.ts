import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { apiDatabases } from '../support/api-databases.js';
import { operations, useStateApi, type RowSeen } from '../support/state-api.js';
import type { Answer } from '../support/test-server.js';
import { unit } from '../support/units.js';

const at = '2026-01-01T00:00:00Z';

/** `parsed: false`: GraphQL itself has no literal of such a text. */
type BadText = [name: string, text: string, found: string, parsed?: boolean];

const badTexts: BadText[] = [
  ['nothing', '', 'an empty text'],
  ['NUL', 'a\u0000b', 'U+0000'],
  ['a tab', 'a\tb', 'U+0009'],
  ['a line feed at the end', 'a\n', 'U+000A'],
  ['a carriage return', '\ra', 'U+000D'],
  ['an escape', '\u001b[2J', 'U+001B'],
  ['a delete character', 'a\u007f', 'U+007F'],
  ['a control character of C1', 'a\u0085', 'U+0085'],
  ['half of a surrogate pair', 'a\ud800', 'half of a surrogate pair', false],
  ['the other half', '\udc00a', 'half of a surrogate pair', false],
  ['a surrogate pair the wrong way round', '\udc00\ud800', 'half of a surrogate pair', false],
];

const badTimes: [name: string, value: unknown][] = [
  ['nothing', ''],
  ['"infinity"', 'infinity'],
  ['"-infinity"', '-infinity'],
  ['"now"', 'now'],
  ['"today"', 'today'],
  ['"epoch"', 'epoch'],
  ['24:00', '2026-01-01T24:00:00Z'],
  ['a leap second', '2016-12-31T23:59:60Z'],
  ['a 60th minute', '2026-01-01T23:60:00Z'],
  ['a day that does not exist', '2026-02-29T00:00:00Z'],
  ['the year 10000', '10000-01-01T00:00:00Z'],
  ['the year 10000, signed', '+010000-01-01T00:00:00Z'],
  ['the year 10000, by its zone', '9999-12-31T23:59:59-01:00'],
  ['the year 1969', '1969-12-31T23:59:59.999999Z'],
  ['the year 1969, by its zone', '1970-01-01T00:00:00+00:01'],
  ['seven fraction digits', '2026-01-01T00:00:00.0000001Z'],
  ['seven fraction digits, all zero', '2026-01-01T00:00:00.0000000Z'],
  ['a missing zone', '2026-01-01T00:00:00'],
  ['a date only', '2026-01-01'],
  ['a blank for the T', '2026-01-01 00:00:00Z'],
  ['blanks around', ' 2026-01-01T00:00:00Z '],
  ['a zone of hours only', '2026-01-01T00:00:00+01'],
  ['a zone’s name', '2026-01-01T00:00:00+01:00[Europe/Berlin]'],
  ['the basic format', '20260101T000000Z'],
  ['digits of another script', '٢٠٢٦-01-01T00:00:00Z'],
  ['SQL', "2026-01-01T00:00:00Z'::timestamp + interval '1 day"],
  ['a number', 1767225600],
  ['a fraction', 0.5],
  ['a boolean', true],
  ['a list', [at]],
  ['an object', { at }],
];

describe.each(apiDatabases)('on $name', ({ create }) => {
  const api = useStateApi(create);
  const legacy = unit();
  const exact = unit();
  let rows: RowSeen[];

  beforeAll(async () => {
    await api.insertLegacy(legacy.scopeId, at);
    await api.insertExact(exact, at);
    rows = await api.rows();
  });

  afterEach(async () => {
    expect(await api.rows()).toEqual(rows); // nothing was written
  });

  /** The one error of a refused request. */
  async function refused(query: string, variables: Record<string, unknown> = {}) {
    const { requestId, answer } = await api.post(JSON.stringify({ query, variables }));
    expect(Object.values(answer.data ?? {}).filter((value) => value !== null)).toEqual([]);
    expect(answer.errors).toHaveLength(1);
    const { message, extensions } = answer.errors![0]!;
    expect(extensions.requestId).toMatch(/^[\w-]{36}$/);
    expect(requestId).toBe(extensions.requestId);
    return { message, code: extensions.code, field: extensions.field };
  }

  describe.each([
    ['scopeId', 256],
    ['scopeKey', 40],
    ['collector', 40],
    ['fetcher', 40],
  ] as const)('in a unit’s %s', (part, longest) => {
    test.each<BadText>([
      ...badTexts,
      ['a character too many', 'x'.repeat(longest + 1), `${longest + 1} characters`],
      ['a character of four bytes too many', '😀'.repeat(longest + 1), `${longest + 1} characters`],
    ])('%s is refused', async (_name, text, found, parsed = true) => {
      const asked = { ...legacy, [part]: text };
      const requests: [query: string, variables: Record<string, unknown>, field: string][] = [
        [operations.find, { unit: asked }, 'unit'],
        [operations.check, { input: { unit: asked } }, 'input.unit'],
        [operations.checkAll, { input: { units: [legacy, asked] } }, 'input.units[1]'],
        [operations.advance, { input: { unit: asked, lastProcessedTimestamp: at } }, 'input.unit'],
        [operations.create, { input: { unit: asked, lastProcessedTimestamp: at } }, 'input.unit'],
      ];
      for (const [query, variables, container] of requests) {
        const field = `${container}.${part}`;
        const { message, ...codes } = await refused(query, variables);
        expect(codes).toEqual({ code: 'BAD_USER_INPUT', field });
        expect(message).toContain(`${field}: found `);
        expect(message).toContain(found);
        expect(message).toContain(`allowed: 1 to ${longest} characters`);
      }
      const literal = Object.entries(asked).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
      const mutation = `mutation { checkScopeState(input: { unit: { ${literal.join(', ')} } }) { outcome } }`;
      expect(await refused(mutation)).toMatchObject(
        parsed
          ? { code: 'BAD_USER_INPUT', field: `input.unit.${part}`, message: expect.stringContaining(found) }
          : { code: 'GRAPHQL_PARSE_FAILED' },
      );
    });

    test.each([
      ['null', null],
      ['a number', 5],
      ['a list', ['a', 'b']],
      ['absent', undefined],
    ])('%s is refused', async (_name, value) => {
      const input = { unit: { ...legacy, [part]: value } };
      const { code, message } = await refused(operations.check, { input });
      expect(code).toBe('BAD_USER_INPUT');
      expect(message).toContain('input.unit');
      expect(message).toContain(value === undefined ? `"${part}"` : `input.unit.${part}`);
    });
  });

  describe.each([
    ['scopeIds', 256],
    ['scopeKeys', 40],
    ['collectors', 40],
    ['fetchers', 40],
    ['scopeIdPrefix', 256],
  ] as const)('in a filter’s %s', (name, longest) => {
    const isList = name !== 'scopeIdPrefix';
    test.each([...badTexts, ['a character too many', 'x'.repeat(longest + 1), `${longest + 1} characters`]])(
      '%s is refused',
      async (_name, text, found) => {
        const filter = { [name]: isList ? ['a', text] : text };
        const field = `filter.${name}${isList ? '[1]' : ''}`;
        const { message, ...codes } = await refused(operations.page, { filter });
        expect(codes).toEqual({ code: 'BAD_USER_INPUT', field });
        expect(message).toContain(`${field}: found `);
        expect(message).toContain(found);
      },
    );
  });

  test.each(badTimes)(
    'as a time %s is refused, as a variable and as a literal alike',
    async (_name, value) => {
      const advance = { unit: legacy, lastProcessedTimestamp: '2026-02-01T00:00:00Z' };
      const requests: [query: string, variables: Record<string, unknown>, field: string][] = [
        [
          operations.advance,
          { input: { ...advance, lastProcessedTimestamp: value } },
          'lastProcessedTimestamp',
        ],
        [operations.advance, { input: { ...advance, expected: value } }, 'expected'],
        [
          operations.advanceAll,
          { input: { advances: [advance, { ...advance, expected: value }] } },
          'expected',
        ],
        [
          operations.create,
          { input: { ...advance, lastProcessedTimestamp: value } },
          'lastProcessedTimestamp',
        ],
        [operations.page, { filter: { processedBefore: value } }, 'processedBefore'],
        [operations.page, { filter: { processedSince: value } }, 'processedSince'],
      ];
      const literal = await refused(
        `{ scopeStates(filter: { processedSince: ${literalOf(value)} }) { totalCount } }`,
      );
      expect(literal.code).toBe('GRAPHQL_VALIDATION_FAILED');
      expect(literal.message).toMatch(/^DateTime: found .*; allowed: .*RFC 3339/);
      for (const [query, variables, field] of requests) {
        const { code, message } = await refused(query, variables);
        expect(code).toBe('BAD_USER_INPUT');
        expect(message).toContain(`.${field}"`);
        expect(message).toContain(literal.message);
      }
    },
  );

  test.each(['first', 'last'])('a page’s size is 1 to 1,000, as %s', async (name) => {
    for (const size of [0, -1, 1001, -2147483648, 2147483647]) {
      const expected = {
        code: 'BAD_USER_INPUT',
        field: name,
        message: `${name}: found ${size}; allowed: 1 to 1000`,
      };
      expect(await refused(operations.page, { [name]: size })).toEqual(expected);
      expect(await refused(`{ scopeStates(${name}: ${size}) { totalCount } }`)).toEqual(expected);
    }
    for (const size of [1, 1000]) {
      expect((await api.server.data(operations.page, { [name]: size })).scopeStates.totalCount).toBe(2);
    }
    for (const size of [2147483648, 1.5, '1', true]) {
      const variable = await refused(operations.page, { [name]: size });
      expect(variable.code).toBe('BAD_USER_INPUT');
      expect(variable.message).toContain(`"$${name}"`);
      expect(await refused(`{ scopeStates(${name}: ${JSON.stringify(size)}) { totalCount } }`)).toMatchObject(
        {
          code: 'GRAPHQL_VALIDATION_FAILED',
        },
      );
    }
  });

  test('first together with last is refused', async () => {
    const message = expect.stringContaining('first: 10 with last: 5');
    const expected = { code: 'BAD_USER_INPUT', field: 'first', message };
    expect(await refused(operations.page, { first: 10, last: 5 })).toEqual(expected);
    expect(await refused('{ scopeStates(first: 10, last: 5) { totalCount } }')).toEqual(expected);
  });

  const check = JSON.stringify({ query: operations.check, variables: { input: { unit: legacy } } });
  const cut = check.indexOf(legacy.scopeId);
  const withBytes = (...bytes: number[]) =>
    Buffer.concat([Buffer.from(check.slice(0, cut)), Buffer.from(bytes), Buffer.from(check.slice(cut))]);
  test.each<[string, string | Uint8Array<ArrayBuffer>, string, number]>([
    ['a byte of Latin-1', withBytes(0xe9), 'application/json', 400],
    ['a NUL in two bytes', withBytes(0xc0, 0x80), 'application/json', 400],
    ['a surrogate in UTF-8', withBytes(0xed, 0xa0, 0x80), 'application/json', 400],
    ['a cut character', withBytes(0xf0, 0x9f, 0x98), 'application/json', 400],
    ['a character beyond Unicode', withBytes(0xf4, 0x90, 0x80, 0x80), 'application/json', 400],
    ['another charset', check, 'application/json; charset=iso-8859-1', 415],
    ['no JSON', check.slice(1), 'application/json', 400],
    ['a prototype', `{"__proto__": {"a": 1}, ${check.slice(1)}`, 'application/json', 400],
  ])('a body with %s is refused', async (_name, body, contentType, wanted) => {
    const { status, requestId, answer } = await api.post(body, contentType);
    expect(status).toBe(wanted);
    expect(answer).toEqual({
      errors: [{ message: expect.any(String), extensions: { code: 'BAD_USER_INPUT', requestId } }],
    });
    expect(requestId).toMatch(/^[\w-]{36}$/);
  });

  test('a body of 4 MiB is read, and one byte more is refused by its length', async () => {
    const largest = 4 * 1024 * 1024;
    expect(await api.post('{"query":"{ __typename }"}'.padEnd(largest))).toMatchObject({ status: 200 });
    const { status, requestId, answer } = await announce(api.server.url, largest + 1);
    expect(status).toBe(413);
    expect(answer.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', requestId } }]);
  });
});

/** Announces a body of that length and sends none of it: what is refused by its length is answered all the same. */
async function announce(url: string, length: number) {
  const headers = { 'content-type': 'application/json', 'content-length': length };
  const call = request(url, { method: 'POST', headers });
  call.flushHeaders();
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  const answer = (await json(response)) as Answer;
  call.destroy();
  return { status: response.statusCode, requestId: response.headers['x-request-id'], answer };
}

function literalOf(value: unknown): string {
  return JSON.stringify(value).replace(/"(\w+)":/g, '$1:');
}
