import { describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { once } from 'node:events';
import { stateFields, useStateApi } from '../support/state-api.js';
import { createTestDatabase } from '../support/test-database.js';
import type { Answer } from '../support/test-server.js';
import { unit } from '../support/units.js';

const api = useStateApi(() => createTestDatabase());

const repeat = (text: string, times: number) => text.repeat(times);
const nested = (depth: number) =>
  `{ scopeStates { nodes { ${repeat('changes { nodes { after { ', depth)} id ${repeat('} } } ', depth)} } } }`;
/** Each fragment stands twice in the one before it. */
const doubled = (count: number) =>
  `{ scopeStates { nodes { ...F0 } } }` +
  Array.from({ length: count }, (_, n) => {
    const next = `changes { nodes { after { ...F${n + 1} } } }`;
    return ` fragment F${n} on ScopeState { a: ${next} b: ${next} }`;
  }).join('') +
  ` fragment F${count} on ScopeState { id }`;

const tooMuch: [string, string, string, RegExp][] = [
  [
    'tokens',
    `{ ${repeat('__typename ', 2_000)} }`,
    'GRAPHQL_PARSE_FAILED',
    /more that 2000 tokens|2000 tokens/,
  ],
  [
    '10,000 aliases',
    `{ ${Array.from({ length: 10_000 }, (_, n) => `a${n}: __typename`).join(' ')} }`,
    'GRAPHQL_PARSE_FAILED',
    /2000 tokens/,
  ],
  ['20,000 brackets', repeat('{', 20_000), 'GRAPHQL_PARSE_FAILED', /./],
  ['depth 5,000', nested(5_000), 'GRAPHQL_PARSE_FAILED', /2000 tokens/],
  [
    'depth',
    nested(7),
    'GRAPHQL_VALIDATION_FAILED',
    /^depth: found 24; allowed: 20 \(SCOPESTATE_MAX_DEPTH\)$/,
  ],
  [
    'aliases',
    `{ ${Array.from({ length: 101 }, (_, n) => `a${n}: __typename`).join(' ')} }`,
    'GRAPHQL_VALIDATION_FAILED',
    /^aliases: found 101; allowed: 100/,
  ],
  [
    'the same field at the root',
    `{ ${repeat('__typename ', 101)} }`,
    'GRAPHQL_VALIDATION_FAILED',
    /^fields at the root of an operation: found 101; allowed: 100/,
  ],
  [
    'directives',
    `{ __typename ${repeat('@include(if: true) ', 51)} }`,
    'GRAPHQL_VALIDATION_FAILED',
    /^directives: found 51; allowed: 50/,
  ],
  [
    'fragments that multiply',
    doubled(60),
    'GRAPHQL_VALIDATION_FAILED',
    /^fields: found more than can be counted; allowed: 2000/,
  ],
  [
    'a fragment within itself',
    '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }',
    'GRAPHQL_VALIDATION_FAILED',
    /within itself/,
  ],
];

describe('a document is refused for its', () => {
  test.each(tooMuch)('%s', async (_what, query, code, message) => {
    const { status, answer, requestId } = await api.post(JSON.stringify({ query }));
    expect(status).toBe(400);
    expect(answer.errors!.map((error) => error.message)).toContainEqual(expect.stringMatching(message));
    for (const error of answer.errors!) expect(error.extensions).toEqual({ code, requestId });
  });

  test.each(tooMuch)('%s, over server-sent events and WebSocket too', async (_what, query, code, message) => {
    const response = await fetch(`${api.server.url}/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query }),
    });
    const [, event] = /^data: (.*)$/m.exec(await response.text())!;
    const { errors } = JSON.parse(event!) as Answer;
    expect(errors!.map((error) => error.message)).toContainEqual(expect.stringMatching(message));
    expect(errors![0]!.extensions.code).toBe(code);

    const socket = new WebSocket(api.server.url.replace('http', 'ws'), 'graphql-transport-ws');
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init' }));
    await once(socket, 'message');
    socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query } }));
    const [text] = (await once(socket, 'message')) as [Buffer];
    const { type, payload } = JSON.parse(text.toString()) as { type: string; payload: Answer['errors'] };
    expect(type).toBe('error');
    expect(payload!.map((error) => error.message)).toContainEqual(expect.stringMatching(message));
    expect(payload![0]!.extensions).toEqual({ code, requestId: expect.stringMatching(/./) });
    socket.close();
  });

  test('no more faults are told than help', async () => {
    const { answer } = await api.post(JSON.stringify({ query: `{ ${repeat('nope ', 90)} }` }));
    expect(answer.errors!.length).toBeLessThanOrEqual(21);
    const { errors } = await api.server.ask(
      'query ($f: ScopeStateFilter) { scopeStates(filter: $f) { totalCount } }',
      {
        f: { scopeIds: Array.from({ length: 100 }, () => 1) },
      },
    );
    expect(errors!.length).toBeLessThanOrEqual(11);
    for (const { extensions } of errors!) expect(extensions.code).toBe('BAD_USER_INPUT');
  });

  test('what was sent is not sent back at its full length', async () => {
    const text = 'x'.repeat(3_000_000);
    const { answer } = await api.post(
      JSON.stringify({
        query: 'query ($n: Int) { scopeStates(first: $n) { totalCount } }',
        variables: { n: text },
      }),
    );
    expect(answer.errors![0]!.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'n' });
    expect(JSON.stringify(answer).length).toBeLessThan(2_000);
  });
});

describe('an operation’s cost', () => {
  const page = `query ($first: Int) { scopeStates(first: $first) { totalCount pageInfo { endCursor }
    edges { cursor node { ...State } } nodes { ...State lag duePeriods nextPeriod { start end } } } } ${stateFields}`;
  const histories = `query ($first: Int, $changes: Int) {
    scopeStates(first: $first) { nodes { id changes(first: $changes) { nodes { id } } } } }`;

  test('lets 1,000 states with all their fields through', async () => {
    expect((await api.server.ask(page, { first: 1_000 })).errors).toBeUndefined();
  });

  test.each([
    [{ first: 1_000, changes: 1_000 }, true],
    [{ first: 1_000, changes: null }, true],
    [{ first: 10, changes: 1_000 }, false],
    [{ first: null, changes: 100 }, false],
    [{}, false],
  ])('goes by the variables: %j is refused: %j', async (variables, isRefused) => {
    const { status, answer, requestId } = await api.post(JSON.stringify({ query: histories, variables }));
    if (!isRefused) return expect(answer.errors).toBeUndefined();
    expect(status).toBe(400);
    expect(answer.errors).toEqual([
      {
        message: expect.stringMatching(/^cost: found \d+; allowed: 200000 \(SCOPESTATE_MAX_COST\): ask for /),
        extensions: { code: 'BAD_USER_INPUT', requestId },
      },
    ]);
  });

  test('a wrong variable is told as ever', async () => {
    const { errors } = await api.server.ask(histories, { first: 'many', changes: 1_000 });
    expect(errors![0]!.message).toMatch(/^Variable "\$first" got invalid value "many"/);
    expect(errors![0]!.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'first' });
  });

  test('of a batch counts its items', async () => {
    const query = `mutation ($input: CheckScopeStatesInput!) { checkScopeStates(input: $input) {
      results { scopeState { changes(first: 1000) { nodes { id } } } } } }`;
    const ask = (count: number) =>
      api.server.ask(query, { input: { units: Array.from({ length: count }, () => unit()) } });
    expect((await ask(20)).errors).toBeUndefined();
    expect((await ask(200)).errors![0]!.message).toMatch(/^cost: found/);
  });
});
