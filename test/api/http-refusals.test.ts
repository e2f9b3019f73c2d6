import { describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { once } from 'node:events';
import { exchangeRaw, expectRawRefusal } from '../support/raw-socket.js';
import { useStateApi } from '../support/state-api.js';
import { createTestDatabase } from '../support/test-database.js';
import { unit } from '../support/units.js';
import { until } from '../support/until.js';

const listed = 'https://dashboard.example.org';
const api = useStateApi(() => createTestDatabase(), {
  SCOPESTATE_CORS_ORIGINS: `${listed}, http://other.example.org:8080`,
  NODE_ENV: 'production',
});
const json = { 'content-type': 'application/json' };
const typename = JSON.stringify({ query: '{ __typename }' });

describe('what is no request of ours is refused in GraphQL’s form:', () => {
  test.each([
    ['a broken address', 400, 'GET /%ff%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
    ['bytes that are no HTTP', 400, '\u0001\u0002\r\n\r\n'],
    ['a header without a name', 400, 'GET / HTTP/1.1\r\nhost: x\r\n: y\r\n\r\n'],
    ['headers that are too long', 431, `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`],
    ['an address that is too long', 431, `GET /${'y'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`],
    ['TRACE', 405, 'TRACE /graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
    [
      'an upgrade elsewhere',
      404,
      'GET /x HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
    ],
  ])('%s: %i', async (_what, status, bytes) => {
    const answer = await exchangeRaw(api.server.url, bytes);
    expectRawRefusal(answer, status, 'BAD_USER_INPUT');
  });

  test('behind a request that is at work nothing is said: it would be taken for its answer', async () => {
    const asked = unit();
    await api.insertExact(asked, '2026-01-01T00:00:00Z');
    const holder = await api.database.connect();
    await holder.query(
      `begin; select from cloudkitty_storage_states where identifier = '${asked.scopeId}' for update`,
    );
    const body = JSON.stringify({
      query: `mutation ($unit: CollectionUnitInput!) {
        advanceScopeState(input: { unit: $unit, lastProcessedTimestamp: "2026-01-02T00:00:00Z" }) { outcome }
      }`,
      variables: { unit: asked },
    });
    const head = `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
    const answer = await exchangeRaw(api.server.url, `${head}\r\n\r\n${body}\u0001\u0002\r\n\r\n`);
    expect(answer).toBe('');
    await holder.query('commit');
    await until('it is done', async () =>
      String((await api.find(asked)).lastProcessedTimestamp).startsWith('2026-01-02'),
    );
  });

  test('and the server still answers', async () => {
    expect(await api.server.ask('{ __typename }')).toEqual({ data: { __typename: 'Query' } });
  });
});

describe('every answer', () => {
  test.each(['/livez', '/readyz', '/graphql', '/nothing', '/graphql/stream', '/graphql?query={a}'])(
    'has the headers that keep a browser from harm: %s',
    async (path) => {
      const { headers } = await fetch(new URL(path, api.server.url));
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
    },
  );

  test('the page’s policy lets no script in the page run, and none of others', async () => {
    const { headers } = await fetch(api.server.url, { headers: { accept: 'text/html' } });
    const policy = headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'; script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
  });
});

describe('pages of other origins', () => {
  const post = (origin: string) =>
    fetch(api.server.url, { method: 'POST', headers: { ...json, origin }, body: typename });

  test.each([
    [listed, listed],
    ['http://other.example.org:8080', 'http://other.example.org:8080'],
    ['http://dashboard.example.org', null],
    ['https://dashboard.example.org.evil.example', null],
    ['null', null],
  ])('%s may read answers: %j', async (origin, allowed) => {
    const { headers } = await post(origin);
    expect(headers.get('access-control-allow-origin')).toBe(allowed);
    expect(headers.has('access-control-allow-credentials')).toBe(false);
    const preflight = await fetch(api.server.url, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBe(allowed);
  });

  test.each([
    [listed, 101],
    ['https://evil.example', 403],
  ])('%s may open a WebSocket: %i', async (origin, status) => {
    const socket = new WebSocket(api.server.url.replace('http', 'ws'), 'graphql-transport-ws', { origin });
    const [event] = await Promise.race([
      once(socket, 'open').then(() => [101]),
      once(socket, 'unexpected-response').then(([, response]) => [response.statusCode]),
    ]);
    expect(event).toBe(status);
    socket.on('error', () => undefined);
    socket.terminate();
  });
});

describe('in production a caller who has not said who he is', () => {
  test.each([
    '{ __schema { queryType { name } } }',
    '{ __type(name: "Query") { name } }',
    '{ ...A } fragment A on Query { __schema { description } }',
  ])('may not ask for the schema: %s', async (query) => {
    const { errors } = await api.server.ask(query);
    expect(errors).toEqual([
      {
        message: expect.stringMatching(/^introspection is for callers who say who they are/),
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED', requestId: expect.stringMatching(/./) },
      },
    ]);
  });

  test.each([
    ['{ scopeStat { id } }', {}],
    ['{ scopeStates(firs: 1) { totalCount } }', {}],
    ['{ scopeStates(orderBy: { field: SCOPE }) { totalCount } }', {}],
    ['query ($f: ScopeStateFilter) { scopeStates(filter: $f) { totalCount } }', { f: { scopeId: ['x'] } }],
    ['query ($o: ScopeStateOrder) { scopeStates(orderBy: $o) { totalCount } }', { o: { field: 'SCOPE_I' } }],
  ])('is not told what he may have meant: %s', async (query, variables) => {
    const { errors } = await api.server.ask(query, variables);
    expect(errors!.length).toBeGreaterThan(0);
    expect(JSON.stringify(errors)).not.toMatch(/did you mean/i);
  });
});
