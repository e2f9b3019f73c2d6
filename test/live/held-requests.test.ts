import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { heapBytes, measurable } from '../support/heap.js';
import { useStateApi } from '../support/state-api.js';
import { subscription } from '../support/subscriber.js';
import { createTestDatabase } from '../support/test-database.js';

const api = useStateApi(() => createTestDatabase(), measurable);

/** Of each kind; what only some of them held would show as well. */
const count = 20;
const junkBytes = 900_000;
const junk = () => 'x'.repeat(junkBytes);

type Opened = { close(): void };

async function connect(init: object = {}): Promise<WebSocket> {
  const socket = new WebSocket(api.server.url.replace('http', 'ws'), 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', ...init }));
  await once(socket, 'message');
  return socket;
}

async function subscribed(message: object): Promise<WebSocket> {
  const socket = await connect();
  socket.send(JSON.stringify({ type: 'subscribe', id: '1', ...message }));
  socket.send(JSON.stringify({ type: 'ping' }));
  const [answer] = (await once(socket, 'message')) as [Buffer];
  expect(answer.toString()).toBe('{"type":"pong"}');
  return socket;
}

async function streamed(body: object): Promise<Opened> {
  const asked = request(new URL('/graphql/stream', api.server.url), {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
  });
  asked.end(JSON.stringify(body));
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const [begun] = (await once(response, 'data')) as [Buffer];
  expect(begun.toString()).toBe(':\n\n');
  return { close: () => response.destroy() };
}

const query = subscription;

test.each<[string, () => Promise<Opened>]>([
  ['a connection’s beginning', () => connect({ payload: { other: junk() } })],
  ['a message', () => subscribed({ payload: { query }, other: junk() })],
  ['a subscription', () => subscribed({ payload: { query, other: junk() } })],
  ['its extensions', () => subscribed({ payload: { query, extensions: { other: junk() } } })],
  ['its variables', () => subscribed({ payload: { query, variables: { other: junk() } } })],
  ['a stream’s body', () => streamed({ query, other: junk() })],
  ['a stream’s extensions', () => streamed({ query, extensions: { other: junk() } })],
  ['a stream’s variables', () => streamed({ query, variables: { other: junk() } })],
])('what nobody needs of %s is not held as long as it is open', async (_where, open) => {
  const first = await open();
  const before = await heapBytes(api.server);
  const opened = await Promise.all(Array.from({ length: count }, open));
  const held = (await heapBytes(api.server)) - before;
  for (const one of [first, ...opened]) one.close();
  expect(held).toBeLessThan((count * junkBytes) / 4);
});

test('a filter is held once, as what it is looked up in', async () => {
  let other = 0;
  const open = () => {
    const scopeIds = Array.from({ length: 1_000 }, () => `${other++}`.padEnd(256, 'x'));
    return subscribed({ payload: { query, variables: { filter: { scopeIds } } } });
  };
  const first = await open();
  const before = await heapBytes(api.server);
  const opened = await Promise.all(Array.from({ length: count }, open));
  const held = ((await heapBytes(api.server)) - before) / count;
  for (const one of [first, ...opened]) one.close();
  expect(held).toBeGreaterThan(256_000);
  expect(held).toBeLessThan(450_000); // 590,000 with the message that it came in
});

test('what is refused is not held as long as its connection, which stays for others', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const refused = async () => {
    const asked = request(new URL('/graphql/stream', api.server.url), {
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    });
    asked.end(JSON.stringify({ query: 1, other: junk() }));
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.resume();
    await once(response, 'end');
    return response.statusCode;
  };
  expect(await refused()).toBe(400);
  const before = await heapBytes(api.server);
  for (let number = 0; number < count; number++) await refused();
  const held = (await heapBytes(api.server)) - before;
  agent.destroy();
  expect(held).toBeLessThan((count * junkBytes) / 4);
});
