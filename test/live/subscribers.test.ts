import { readdir } from 'node:fs/promises';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { heapBytes, measurable } from '../support/heap.js';
import { useStateApi } from '../support/state-api.js';
import { presentSequence, subscription, type Event } from '../support/subscriber.js';
import { createTestDatabase } from '../support/test-database.js';
import { scaled, unit } from '../support/units.js';
import { until } from '../support/until.js';

const api = useStateApi(() => createTestDatabase(), measurable);

/** What the server process holds. */
async function holdings() {
  const { pid } = api.server.process;
  const connections = await api.database.query(
    `select from pg_stat_activity where datname = current_database() and application_name = 'scopestate'`,
  );
  return {
    heap: await heapBytes(api.server),
    files: (await readdir(`/proc/${pid}/fd`)).length,
    connections: connections.length,
  };
}

async function connect(): Promise<WebSocket> {
  const socket = new WebSocket(api.server.url.replace('http', 'ws'), 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init' }));
  await once(socket, 'message');
  return socket;
}

test('rounds of subscribing and leaving leave nothing behind: no memory, no sockets, no connections', async () => {
  const round = async (count: number) => {
    const socket = await connect();
    for (let id = 0; id < count; id++) {
      socket.send(JSON.stringify({ id: `${id}`, type: 'subscribe', payload: { query: subscription } }));
      socket.send(JSON.stringify({ id: `${id}`, type: 'complete' }));
    }
    socket.send(JSON.stringify({ type: 'ping' }));
    await once(socket, 'message');
    socket.close();
    await once(socket, 'close');
  };
  const some = scaled(2_000);
  for (let n = 0; n < some; n++) await round(1); // until the process has the size that it works with
  for (let n = 0; n < scaled(20, 5); n++) await round(100);
  await until('the feed runs', async () => (await holdings()).connections > 0);
  // Code that is not used any more goes after some collections, and would hide what stays.
  for (let collection = 0; collection < 10; collection++) await heapBytes(api.server);
  const before = await holdings();
  const [alone, together] = [scaled(5_000), scaled(50, 40)];
  for (let n = 0; n < alone; n++) await round(1);
  for (let n = 0; n < together; n++) await round(100);
  await until('sockets are closed', async () => (await holdings()).files <= before.files + 3);
  const after = await holdings();
  expect(after.connections).toBeLessThanOrEqual(before.connections + 1);
  const rounds = alone + 100 * together;
  const growth = after.heap - before.heap;
  console.log(`${rounds} rounds: the heap has grown by ${Math.round(growth / 1024)} KiB`);
  // Without any leak it is some 100 KiB up or down. One that is kept is half a KiB.
  expect(growth).toBeLessThan(768 * 1024);
}, 300_000);

test('many subscribers on one server, each with its own filter, over one connection to the database', async () => {
  const count = scaled(1_000);
  const units = Array.from({ length: 10 }, () => unit());
  const afterSequence = await presentSequence(api.server.url);
  const seen = new Map<number, Event[]>();
  const sockets = await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const socket = await connect();
      const events: Event[] = [];
      seen.set(n, events);
      socket.on('message', (text: Buffer) => {
        const { payload } = JSON.parse(text.toString()) as {
          payload?: { data: { scopeStateChanged: Event } };
        };
        if (payload) events.push(payload.data.scopeStateChanged);
      });
      const variables = { filter: { scopeIds: [units[n % 10]!.scopeId] }, afterSequence };
      socket.send(
        JSON.stringify({ id: '1', type: 'subscribe', payload: { query: subscription, variables } }),
      );
      return socket;
    }),
  );
  for (let hour = 0; hour < 5; hour++) {
    await api.advanceAll(
      units.map((one) => ({ unit: one, lastProcessedTimestamp: `2026-01-01T0${hour}:00:00Z` })),
    );
  }
  await until('all have seen all', () => [...seen.values()].every((events) => events.length === 5), 120_000);
  for (const [n, events] of seen) {
    expect(events.map(({ scopeState }) => [scopeState!.scopeId, scopeState!.version])).toEqual(
      [1, 2, 3, 4, 5].map((version) => [units[n % 10]!.scopeId, version]),
    );
  }
  const feeds = await api.database.query(
    `select from pg_stat_activity where datname = current_database() and query like '/* Feed.inRanges */%'`,
  );
  expect(feeds).toHaveLength(1);
  await Promise.all(
    sockets.map(async (socket) => {
      socket.close();
      await once(socket, 'close');
    }),
  );
}, 180_000);
