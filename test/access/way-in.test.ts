import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { failingServer, startServer, type TestServer } from '../support/test-server.js';
import { openSocket } from './subscribers.js';
import { useTokens } from './tokens.js';

const access = useTokens();

test.each(['0.0.0.0', '::'])(
  'a server that listens on %s without a way in refuses to start, and says how',
  async (HOST) => {
    const { code, lines } = await failingServer({ DATABASE_URL: access.database.url, HOST });
    expect(code).toBe(1);
    expect(lines).toHaveLength(1);
    for (const word of [HOST, 'SCOPESTATE_AUTH=token', 'scopestate token create', '--insecure-no-auth']) {
      expect(lines[0]).toContain(word);
    }
  },
);

test('--insecure-no-auth insists, and the log says what that means', async () => {
  const settings = { DATABASE_URL: access.database.url, HOST: '0.0.0.0' };
  const server = await startServer(settings, { args: ['--insecure-no-auth'] });
  expect(server.logLines.join('\n')).toContain('"event":"open-to-all"');
  expect(await server.stop()).toBe(0);
});

test('a container can be reached from elsewhere, and needs tokens', () => {
  const [settings] = /^ENV .*$/m.exec(readFileSync('Dockerfile', 'utf8'))!;
  expect(settings).toMatch(/ HOST=0\.0\.0\.0 .*SCOPESTATE_AUTH=token( |$)/);
});

test('with tokens it may listen anywhere', async () => {
  const server = await startServer({
    DATABASE_URL: access.database.url,
    HOST: '0.0.0.0',
    SCOPESTATE_AUTH: 'token',
  });
  expect(server.url).toMatch(/^http:\/\/0\.0\.0\.0:\d+\/graphql$/);
  expect(await server.ask('{ __typename }')).toMatchObject({
    errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
  });
  expect(await server.stop()).toBe(0);
});

describe('where no token is needed', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ DATABASE_URL: access.database.url });
  });
  afterAll(() => server.stop());

  test('whoever sends none may do everything', async () => {
    const { data } = await server.ask(
      'mutation { deleteScopeStates(input: { select: { all: true }, reason: "a test" }) { outcome } }',
    );
    expect(data).toEqual({ deleteScopeStates: { outcome: 'PLANNED' } });
  });

  test('but one that is sent counts, and a wrong one is never let in as anybody', async () => {
    const { text } = await access.tokens.create('a reader', 'reader');
    const asReader = await server.ask(
      'mutation { deleteScopeStates(input: { select: { all: true }, reason: "a test" }) { outcome } }',
      {},
      text,
    );
    expect(asReader).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
    const wrong = await server.ask('{ __typename }', {}, 'nonsense');
    expect(wrong).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
    const socket = openSocket(server.url, { payload: { authorization: 'Bearer nonsense' } });
    expect((await socket.closed).code).toBe(4403);
  });
});

describe('where a token is needed', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ DATABASE_URL: access.database.url, SCOPESTATE_AUTH: 'token' });
  });
  afterAll(() => server.stop());
  const at = (path: string, init?: RequestInit) => fetch(new URL(path, server.url), init);

  test('the playground’s page and its files load without one, and so does health', async () => {
    const page = await at('/graphql', { headers: { accept: 'text/html' } });
    const files = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => `/${path}`);
    expect(files.length).toBeGreaterThan(1);
    for (const path of [...files, '/livez', '/readyz']) {
      expect([path, (await at(path)).status]).toEqual([path, 200]);
    }
  });

  test.each([
    ['a query in the address', '/graphql?query=%7B__typename%7D', { headers: { accept: 'text/html' } }],
    ['a query by GET', '/graphql?query=%7B__typename%7D', { headers: { 'apollo-require-preflight': '1' } }],
    ['introspection', '/graphql', post({ query: '{ __schema { types { name } } }' })],
    ['a batch', '/graphql', post([{ query: '{ __typename }' }])],
    ['no GraphQL', '/graphql', post({ query: '{' })],
    ['a body of 5 MB', '/graphql', post({ query: 'x'.repeat(5_000_000) })],
    ['a subscription', '/graphql/stream?query=subscription', { headers: { accept: 'text/event-stream' } }],
  ])('not so %s: nothing of it is looked at', async (_, path, init) => {
    const response = await at(path, init);
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED', requestId: expect.any(String) } }],
    });
  });

  test('a token in a cookie or in the address is none: a browser sends both by itself', async () => {
    const { text } = await access.tokens.create('a browser', 'reader');
    const asked = post({ query: '{ __typename }' });
    const cookie = `authorization=Bearer ${text}; token=${text}`;
    const search = new URLSearchParams({ authorization: `Bearer ${text}`, access_token: text, token: text });
    for (const [path, headers] of [
      ['/graphql', { cookie }],
      [`/graphql?${search.toString()}`, {}],
    ] as const) {
      const response = await at(path, { ...asked, headers: { ...asked.headers, ...headers } });
      expect([path, response.status]).toEqual([path, 401]);
      expect(response.headers.has('set-cookie')).toBe(false);
    }
    const authorization = `Bearer ${text}`;
    expect((await at('/graphql', { ...asked, headers: { ...asked.headers, authorization } })).status).toBe(
      200,
    );
  });

  test('/readyz tells nothing of tokens', async () => {
    expect(await (await at('/readyz')).json()).toEqual({ status: 'ready' });
  });
});

function post(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}
