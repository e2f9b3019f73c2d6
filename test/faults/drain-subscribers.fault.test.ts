import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { subscription } from '../support/subscriber.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer, type TestServer } from '../support/test-server.js';
import { until } from '../support/until.js';

let database: TestDatabase;
let server: TestServer;

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startServer({ DATABASE_URL: database.url });
});
afterAll(async () => {
  server.process.kill('SIGKILL');
  await database.drop();
});

test('SIGTERM: sockets are closed as going away, event streams completed; none keeps the server', async () => {
  const address = server.url.replace('http', 'ws');
  const socket = new WebSocket(address, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init' }));
  await once(socket, 'message');
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: subscription } }));
  const silent = new WebSocket(address, 'graphql-transport-ws');
  await once(silent, 'open');
  silent.pause(); // never answers the closing
  const stream = await fetch(`${server.url}/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query: subscription }),
  });

  const closed = once(socket, 'close') as Promise<[number]>;
  const exit = server.stop();
  await until('no socket is taken any more', async () => {
    const late = new WebSocket(address, 'graphql-transport-ws');
    late.on('error', () => undefined);
    const refused = await Promise.race([
      once(late, 'unexpected-response').then(() => true),
      once(late, 'open').then(
        () => false,
        () => true,
      ),
    ]);
    late.terminate();
    return refused;
  });
  expect((await closed)[0]).toBe(1001);
  expect(await stream.text()).toBe(':\n\nevent: complete\ndata:\n\n');
  expect(await exit).toBe(0);
  silent.terminate();
});
