import { once } from 'node:events';
import { afterAll, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { useStateApi } from '../support/state-api.js';
import { newClient, openSubscriber, subscription } from '../support/subscriber.js';
import { createTestDatabase } from '../support/test-database.js';

const api = useStateApi(() => createTestDatabase());
const opened: WebSocket[] = [];
afterAll(() => opened.forEach((socket) => socket.terminate()));

const address = (path = '/graphql') => new URL(path, api.server.url).href.replace('http', 'ws');

async function connect(protocols: string | string[] = 'graphql-transport-ws'): Promise<WebSocket> {
  const socket = new WebSocket(address(), protocols);
  opened.push(socket);
  await once(socket, 'open');
  return socket;
}

async function closing(socket: WebSocket): Promise<number> {
  const [code] = (await once(socket, 'close')) as [number];
  return code;
}

const init = { type: 'connection_init' };
const subscribe = { id: '1', type: 'subscribe', payload: { query: subscription } };

describe('a fault in the protocol closes the socket with its code', () => {
  test.each([
    ['no init in time', [], 4408],
    ['two inits', [init, init], 4429],
    ['a subscription before the ack', [subscribe], 4401],
    ['the same id twice', [init, subscribe, subscribe], 4409],
    ['no JSON', [init, '{'], 4400],
    ['an unknown type', [{ type: 'start' }], 4400],
    ['a type that only servers send', [init, { id: '1', type: 'next', payload: {} }], 4400],
    ['bytes that are not UTF-8', [init, Buffer.from([0x22, 0xff, 0x22])], 4400],
    ['a subscription without a query', [init, { id: '1', type: 'subscribe', payload: {} }], 4400],
    ['a message of more than 1 MiB', [init, 'x'.repeat(1024 * 1024 + 1)], 1009],
    ['an id of more than 256 characters', [init, { ...subscribe, id: 'x'.repeat(257) }], 4400],
  ])('%s', async (_, messages, code) => {
    const socket = await connect();
    const closed = closing(socket);
    for (const message of messages) {
      if (message === subscribe && messages[0] === init) await acknowledged(socket);
      socket.send(
        typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message),
      );
    }
    expect(await closed).toBe(code);
  });

  test.each([[['graphql-ws']], [['something', 'else']], [[]]])('subprotocols %j', async (protocols) => {
    // The code may come with the handshake's own packet.
    const socket = new WebSocket(address(), protocols);
    opened.push(socket);
    expect(await closing(socket)).toBe(4406);
  });
});

const acks = new WeakMap<WebSocket, Promise<unknown>>();
function acknowledged(socket: WebSocket): Promise<unknown> {
  const known = acks.get(socket) ?? once(socket, 'message');
  acks.set(socket, known);
  return known;
}

test('a ping is answered', async () => {
  const socket = await connect();
  socket.send(JSON.stringify({ type: 'ping', payload: { n: 1 } }));
  const [answer] = (await once(socket, 'message')) as [Buffer];
  expect(JSON.parse(answer.toString())).toEqual({ type: 'pong', payload: { n: 1 } });
});

describe('who may connect', () => {
  const statusFor = (headers: Record<string, string>, path?: string) => {
    const socket = new WebSocket(address(path), 'graphql-transport-ws', { headers });
    opened.push(socket);
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
    socket.on('open', () => resolve(101));
    socket.on('error', () => resolve(undefined));
    return promise;
  };

  test('a page of this host, and programs', async () => {
    expect(await statusFor({ origin: new URL(api.server.url).origin })).toBe(101);
    expect(await statusFor({})).toBe(101);
  });

  test.each(['http://elsewhere.example', 'null', 'http://127.0.0.1', 'nonsense'])(
    'not a page of %s',
    async (origin) => {
      expect(await statusFor({ origin })).toBe(403);
      const response = await fetch(new URL('/graphql/stream?query={x}', api.server.url), {
        headers: { origin, accept: 'text/event-stream' },
      });
      expect(response.status).toBe(403);
    },
  );

  test('and only where there is something to connect to', async () => {
    expect(await statusFor({}, '/elsewhere')).toBe(404);
  });
});

describe('errors over WebSocket', () => {
  const errorsOf = async (query: string, variables: Record<string, unknown> = {}): Promise<any[]> => {
    const client = newClient(api.server.url);
    const { promise, resolve } = Promise.withResolvers<any[]>();
    client.subscribe(
      { query, variables },
      {
        next: ({ errors }) => resolve([...(errors ?? [])]),
        error: (errors) => resolve(errors as any[]),
        complete: () => resolve([]),
      },
    );
    const errors = await promise;
    await client.dispose();
    return errors;
  };

  test.each([
    ['no GraphQL', '{', 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', 'subscription { nothing }', 'GRAPHQL_VALIDATION_FAILED'],
    ['a query', '{ __typename }', 'BAD_USER_INPUT'],
    ['a mutation', 'mutation { __typename }', 'BAD_USER_INPUT'],
    [
      'a variable of another type',
      'subscription ($f: ScopeStateFilter) { scopeStateChanged(filter: $f) { kind } }',
      'BAD_USER_INPUT',
    ],
  ])('%s: have a code and a request id', async (_, query, code) => {
    const errors = await errorsOf(query, { f: { active: 'maybe' } });
    expect(errors).toMatchObject([{ extensions: { code, requestId: expect.stringMatching(/^[\w-]{36}$/) } }]);
    expect(JSON.stringify(errors)).not.toContain('stack');
  });
});

test('many subscriptions share a socket, and one of them ends alone', async () => {
  const socket = await connect();
  const seen: { type: string; id?: string }[] = [];
  socket.on('message', (text: Buffer) => seen.push(JSON.parse(text.toString()) as { type: string }));
  const heard = async (type: string, id?: string) => {
    while (!seen.some((message) => message.type === type && message.id === id)) await once(socket, 'message');
  };
  socket.send(JSON.stringify(init));
  await heard('connection_ack');
  for (const id of ['a', 'b']) socket.send(JSON.stringify({ ...subscribe, id }));
  socket.send(JSON.stringify({ id: 'a', type: 'complete' }));
  socket.send(
    JSON.stringify({
      ...subscribe,
      id: 'c',
      payload: { query: subscription, variables: { afterSequence: '9223372036854775807' } },
    }),
  );
  await heard('complete', 'c');
  expect(seen.filter(({ id }) => id === 'a' || id === 'b')).toEqual([]);
  socket.close();
  await once(socket, 'close');
});

test('a subscriber that goes at once leaves nothing behind', async () => {
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      const subscriber = openSubscriber(api.server.url);
      await subscriber.stop();
      expect(subscriber.errors).toEqual([]);
    }),
  );
});
