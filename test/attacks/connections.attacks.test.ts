import { EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import type { Answer } from '../support/test-server.js';
import { useAttackedServer } from './attacked-server.js';

type Errors = NonNullable<Answer['errors']>;
type Told = Errors | Answer | undefined;

const attacked = useAttackedServer();

let sockets: { destroy(): void }[] = [];
afterEach(() => {
  sockets.forEach((socket) => socket.destroy());
  sockets = [];
});

async function openSocket(): Promise<Socket> {
  const { hostname, port } = new URL(attacked.server.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

async function answered(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  await once(socket, 'close');
  return text;
}

const head = 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';

describe('300 sockets that', () => {
  test.each([
    ['never end their headers', head],
    ['never send the body that they announced', `${head}content-length: 1000\r\n\r\n{`],
  ])(
    '%s are told 408, and keep nobody waiting meanwhile',
    async (_name, begun) => {
      const slow = await Promise.all(Array.from({ length: 300 }, () => openSocket()));
      const ends = slow.map(answered);
      for (const socket of slow) socket.write(begun);
      // Each of them goes on, a byte at a time: what is bounded is the whole, not the silence.
      const drip = setInterval(() => slow.forEach((socket) => socket.writable && socket.write('a')), 1_000);
      try {
        for (let n = 0; n < 20; n++)
          expect(await attacked.strike('{ __typename }')).toMatchObject({ data: {} });
        for (const text of await Promise.all(ends)) expect(text).toMatch(/^HTTP\/1\.1 408 /);
      } finally {
        clearInterval(drip);
      }
    },
    60_000,
  );
});

describe('a WebSocket', () => {
  async function openWebSocket(): Promise<WebSocket> {
    const socket = new WebSocket(attacked.server.url.replace('http', 'ws'), 'graphql-transport-ws');
    sockets.push({ destroy: () => socket.terminate() });
    socket.on('error', () => undefined);
    await once(socket, 'open');
    return socket;
  }

  async function closing(socket: WebSocket): Promise<number> {
    const [code] = (await once(socket, 'close')) as [number];
    return code;
  }

  test.each([
    ['10 MB in one message', ['x'.repeat(10_000_000)], 1009],
    ['bytes', [Buffer.alloc(100)], 4400],
    ['a list', ['[]'], 4400],
    ['null', ['null'], 4400],
    ['__proto__', ['{"__proto__":{"type":"connection_init"}}'], 4400],
    ['a type that is an object', ['{"type":{"$ne":null}}'], 4400],
    [
      'an id that is a number',
      ['{"type":"connection_init"}', '{"type":"subscribe","id":1,"payload":{"query":"{a}"}}'],
      4400,
    ],
    ['100,000 brackets', ['['.repeat(100_000)], 4400],
  ])('that sends %s is closed with its code', async (_name, messages, code) => {
    const socket = await openWebSocket();
    const closed = closing(socket);
    for (const message of messages) socket.send(message);
    expect(await closed).toBe(code);
  });

  test('10 MB in small fragments is closed, too', async () => {
    const socket = await openWebSocket();
    const closed = closing(socket);
    for (let n = 0; n < 100; n++) socket.send('x'.repeat(100_000), { fin: n === 99 });
    expect(await closed).toBe(1009);
  });

  test.each([
    ['a query', '{ __typename }', 'BAD_USER_INPUT'],
    [
      'a mutation',
      'mutation { deleteScopeStates(input: { select: { all: true }, reason: "a" }) { outcome } }',
      'BAD_USER_INPUT',
    ],
    ['brackets', '{'.repeat(100_000), 'GRAPHQL_PARSE_FAILED'],
    [
      '10,000 aliases',
      `subscription { ${Array.from({ length: 10_000 }, (_, i) => `a${i}: __typename`).join(' ')} }`,
      'GRAPHQL_PARSE_FAILED',
    ],
    [
      'a filter with a NUL',
      'subscription { scopeStateChanged(filter: { scopeIds: ["\\u0000"] }) { sequence } }',
      'BAD_USER_INPUT',
    ],
    [
      'a sequence that is SQL',
      'subscription { scopeStateChanged(afterSequence: "1; select 1") { sequence } }',
      'BAD_USER_INPUT',
    ],
    [
      'a sequence beyond all numbers',
      `subscription { scopeStateChanged(afterSequence: "${'9'.repeat(30)}") { sequence } }`,
      'BAD_USER_INPUT',
    ],
  ])('that subscribes with %s is told why not', async (_name, query, code) => {
    const socket = await openWebSocket();
    const told = new EventEmitter();
    socket.on('message', (data: Buffer) => {
      const { type, payload } = JSON.parse(data.toString()) as { type: string; payload: Told };
      if (type === 'connection_ack') told.emit('acknowledged');
      // What is found out before there are events comes as an error, or as a result that is one.
      const errors = Array.isArray(payload) ? payload : payload?.errors;
      if (errors) told.emit('refused', errors);
    });
    const acknowledged = once(told, 'acknowledged');
    const refused = once(told, 'refused') as Promise<[Errors]>;
    socket.send('{"type":"connection_init"}');
    await acknowledged;
    socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query } }));
    const [errors] = await refused;
    expect(errors.map(({ extensions }) => extensions.code)).toEqual([code]);
    expect(errors[0]!.extensions.requestId).toMatch(/./);
  });
});
