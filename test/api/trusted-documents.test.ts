import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { failingServer, startServer, type Answer, type TestServer } from '../support/test-server.js';

const count = 'query Count($first: Int) { scopeStates(first: $first) { totalCount } }';
const live = 'subscription Live { scopeStateChanged { sequence } }';
const sha256Hash = createHash('sha256').update(count).digest('hex');
const folder = mkdtempSync(join(tmpdir(), 'scopestate-trusted-'));

let database: TestDatabase;
let server: TestServer;

function file(content: unknown): string {
  const path = join(folder, `${Math.random()}.json`);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startServer(
    { DATABASE_URL: database.url },
    { args: ['--trusted-documents', file({ count, live })] },
  );
});
afterAll(async () => {
  await server.stop();
  await database.drop();
  rmSync(folder, { recursive: true });
});

const post = (body: unknown, path = '', accept = 'application/json') =>
  fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify(body),
  });
const data = { data: { scopeStates: { totalCount: 0 } } };

test.each([
  [{ query: count }],
  [{ query: count, variables: { first: 1 }, operationName: 'Count' }],
  [{ documentId: 'count' }],
  [{ documentId: sha256Hash }],
  [{ extensions: { persistedQuery: { version: 1, sha256Hash } } }],
])('runs: %j', async (body) => {
  const response = await post(body);
  expect([response.status, await response.json()]).toEqual([200, data]);
});

test.each([
  [{ query: '{ __typename }' }],
  [{ query: `${count} ` }],
  [{ query: '{ __schema { queryType { name } } }' }],
  [{ documentId: 'other' }],
  [{ documentId: 'constructor' }],
  [{ documentId: ['count'] }],
  [{ query: '{ __typename }', documentId: 'count' }],
  [{ query: '{ __typename }', extensions: { persistedQuery: { version: 1, sha256Hash } } }],
  [{ extensions: { persistedQuery: null } }],
])('is refused, as a query and as a subscription: %j', async (body) => {
  const response = await post(body);
  expect(response.status).toBe(403);
  const [error] = ((await response.json()) as Answer).errors!;
  expect(error!.message).toMatch(/^only trusted documents run here: /);
  expect(error!.extensions).toEqual({ code: 'FORBIDDEN', requestId: response.headers.get('x-request-id') });
  const stream = await (await post(body, '/stream', 'text/event-stream')).text();
  expect(stream).toMatch(/"code":"FORBIDDEN"/);
});

test('GET goes by the same list', async () => {
  const get = (search: string) =>
    fetch(`${server.url}?${search}`, { headers: { 'apollo-require-preflight': '1' } });
  expect(await (await get('documentId=count')).json()).toEqual(data);
  const extensions = encodeURIComponent(JSON.stringify({ persistedQuery: { version: 1, sha256Hash } }));
  expect(await (await get(`extensions=${extensions}`)).json()).toEqual(data);
  expect((await get('query={__typename}')).status).toBe(403);
  expect((await get('query={__typename}&documentId=count')).status).toBe(403);
});

test('a subscription by its name runs', async () => {
  const { body } = await post({ documentId: 'live' }, '/stream', 'text/event-stream');
  const reader = body!.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe(':\n\n');
  await reader.cancel();
});

test.each([[{ documentId: 'live' }], [{ documentId: 'live', query: '' }]])(
  'over a WebSocket, too: %j',
  async (payload) => {
    const socket = new WebSocket(server.url.replace('http', 'ws'), 'graphql-transport-ws');
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init' }));
    await once(socket, 'message');
    socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload }));
    socket.send(JSON.stringify({ type: 'ping' }));
    const [answer] = (await once(socket, 'message')) as [Buffer];
    expect(answer.toString()).toBe('{"type":"pong"}');
    socket.terminate();
  },
);

test('all that is wrong with the documents is told at the start', async () => {
  const now = 'subscription { scopeStateChanged @include(if: true) { sequence } }';
  const path = file({ broken: '{', wrong: '{ nothing } ', now, fine: '{ __typename }' });
  const { code, lines } = await failingServer(
    { DATABASE_URL: database.url },
    { args: ['--trusted-documents', path] },
  );
  expect(code).toBe(1);
  expect(lines).toHaveLength(4);
  expect(lines[1]).toMatch(/^ {2}"broken": Syntax Error/);
  expect(lines[2]).toMatch(/^ {2}"wrong": Cannot query field "nothing"/);
  expect(lines[3]).toMatch(/^ {2}"now": /);
});

test.each([
  ['no JSON', '{'],
  ['a list', ['{ __typename }']],
  ['nothing', {}],
  ['numbers', { a: 1 }],
])('a file with %s stops the start', async (_what, content) => {
  const { code, lines } = await failingServer(
    { DATABASE_URL: database.url },
    { args: ['--trusted-documents', file(content)] },
  );
  expect([code, lines.length]).toEqual([1, 1]);
  expect(lines[0]).toMatch(/^scopestate: --trusted-documents ".*\.json"/);
});
