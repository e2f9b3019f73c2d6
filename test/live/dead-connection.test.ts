import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { isOpenAtServer } from '../support/open-at-server.js';
import { useStateApi } from '../support/state-api.js';
import { presentSequence, subscription } from '../support/subscriber.js';
import { createTestDatabase } from '../support/test-database.js';
import { unit } from '../support/units.js';
import { until } from '../support/until.js';

// A ping every twelve seconds: who has not answered when the next one is due, is gone. The tests wait for just that.
const boundMillis = 90_000;
const api = useStateApi(() => createTestDatabase());

async function connect(options: { autoPong: boolean }): Promise<WebSocket> {
  const socket = new WebSocket(api.server.url.replace('http', 'ws'), 'graphql-transport-ws', options);
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init' }));
  await once(socket, 'message');
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: subscription } }));
  return socket;
}

test.concurrent(
  'a WebSocket that does not answer pings is ended, and one that does goes on',
  async () => {
    const [dead, alive] = await Promise.all([connect({ autoPong: false }), connect({ autoPong: true })]);
    let pings = 0;
    alive.on('ping', () => pings++);
    const [code] = (await once(dead, 'close')) as [number];
    expect(code).toBe(1006); // no closing: there is nobody to say it to
    await until('the other one is pinged again', () => pings >= 3, boundMillis);
    expect(alive.readyState).toBe(WebSocket.OPEN);
    alive.close();
    await once(alive, 'close');
  },
  2 * boundMillis,
);

async function openStream(query: string, variables: Record<string, unknown>): Promise<IncomingMessage> {
  const asked = request(new URL('/graphql/stream', api.server.url), {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
  });
  asked.end(JSON.stringify({ query, variables }));
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return response;
}

test.concurrent(
  'an event stream that takes no pings is ended, and one that does goes on',
  async () => {
    const one = unit();
    await api.insertExact(one, '2026-01-01T00:00:00Z');
    const afterSequence = await presentSequence(api.server.url);
    const filter = { scopeIds: [one.scopeId] };
    // Long aliases fill the buffers of the network soon.
    const aliases = Array.from({ length: 90 }, (_, n) => `${'x'.repeat(250)}${n}: kind`).join(' ');
    const long = subscription.replace('sequence\n', `sequence ${aliases}\n`);
    const dead = await openStream(long, { filter, afterSequence });
    const alive = await openStream(subscription, { filter, afterSequence });
    let text = '';
    alive.setEncoding('utf8').on('data', (part: string) => (text += part));
    const { localPort } = dead.socket;
    expect(await isOpenAtServer(api.server.url, localPort!)).toBe(true);
    await api.database.query(
      `do $$ begin for n in 1..2000 loop
         update cloudkitty_storage_states set last_processed_timestamp = last_processed_timestamp + interval '1 s'
         where identifier = '${one.scopeId}';
       end loop; end $$`,
    );
    await until('it is ended', async () => !(await isOpenAtServer(api.server.url, localPort!)), boundMillis);
    dead.destroy();
    const pings = () => text.split('\n\n').filter((part) => part === ':').length;
    const before = pings();
    await until('the other one is pinged again', () => pings() > before, boundMillis);
    expect(text.match(/^event: next$/gm)).toHaveLength(2_000);
    expect(alive.complete).toBe(false);
    alive.destroy();
  },
  2 * boundMillis,
);
