import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { isOpenAtServer } from '../support/open-at-server.js';
import { useStateApi } from '../support/state-api.js';
import { createTestDatabase } from '../support/test-database.js';
import { until } from '../support/until.js';

const api = useStateApi(() => createTestDatabase());

/** 50 MB, more than the network's buffers take. */
const pings = Array.from({ length: 1_000 }, (_, n) =>
  JSON.stringify({ type: 'ping', payload: { n, text: 'x'.repeat(50_000) } }),
);

async function connect(): Promise<WebSocket> {
  const socket = new WebSocket(api.server.url.replace('http', 'ws'), 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init' }));
  await once(socket, 'message');
  return socket;
}

test('whoever does not read the answers to his pings is not listened to, and is cut off', async () => {
  const socket = await connect();
  socket.pause();
  socket.on('error', () => undefined);
  let sent = 0;
  for (const ping of pings) socket.send(ping, (error) => (sent += error ? 0 : 1));
  const { localPort } = (socket as unknown as { _socket: Socket })._socket;
  await until(
    'it has sent all, or is cut off',
    async () => sent === pings.length || !(await isOpenAtServer(api.server.url, localPort!)),
    60_000,
  );
  // All answers would be held, had all been read.
  expect(sent).toBeLessThan(pings.length);
  socket.terminate();
}, 90_000);

test('whoever reads them late gets them all', async () => {
  const socket = await connect();
  const answered: number[] = [];
  socket.on('message', (text: Buffer) => {
    answered.push((JSON.parse(text.toString()) as { payload: { n: number } }).payload.n);
  });
  socket.pause();
  for (const ping of pings) socket.send(ping);
  socket.resume();
  await until('all are answered', () => answered.length === pings.length);
  expect(answered).toEqual(pings.map((_, n) => n));
  socket.close();
});
