import { readdir, readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { useStateApi } from '../support/state-api.js';
import { openSubscriber, presentSequence, subscription, type Event } from '../support/subscriber.js';
import { createTestDatabase } from '../support/test-database.js';
import { scaled, unit } from '../support/units.js';
import { until } from '../support/until.js';

const table = 'cloudkitty_storage_states';
const api = useStateApi(() => createTestDatabase());

/** What the server process holds. */
async function holdings() {
  const { pid } = api.server.process;
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const connections = await api.database.query(
    `select from pg_stat_activity where datname = current_database() and application_name = 'scopestate'`,
  );
  return {
    megabytes: Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024,
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
  await until('sockets are closed', async () => (await holdings()).connections > 0);
  const before = await holdings();
  for (let n = 0; n < scaled(5_000); n++) await round(1);
  for (let n = 0; n < scaled(50); n++) await round(100);
  await until('sockets are closed', async () => (await holdings()).files <= before.files + 3);
  const after = await holdings();
  expect(after.connections).toBeLessThanOrEqual(before.connections + 1);
  // 3 KiB a round would be 30 MiB in the full run.
  expect(after.megabytes - before.megabytes).toBeLessThan(60);
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

describe('a subscriber that does not read', () => {
  const writeMany = (one: string, changes: number) =>
    api.database.query(
      `do $$ begin for n in 1..${changes} loop
         update ${table} set last_processed_timestamp = last_processed_timestamp + interval '1 s'
         where identifier = '${one}'; if n % 500 = 0 then commit; end if;
       end loop; end $$`,
    );

  test('is sent RESYNC when it reads again, completed, and has cost the others nothing', async () => {
    const one = unit();
    await api.insertExact(one, '2026-01-01T00:00:00Z');
    const filter = { scopeIds: [one.scopeId] };
    const afterSequence = await presentSequence(api.server.url);
    const socket = await connect();
    const events: Event[] = [];
    let isComplete = false;
    socket.on('message', (text: Buffer) => {
      const { type, payload } = JSON.parse(text.toString()) as {
        type: string;
        payload: { data: { scopeStateChanged: Event } };
      };
      if (type === 'complete') isComplete = true;
      if (type === 'next') events.push(payload.data.scopeStateChanged);
    });
    // Long ids of aliases fill the buffers of the network sooner.
    const aliases = Array.from({ length: 60 }, (_, n) => `${'x'.repeat(100)}${n}: kind`).join(' ');
    const query = subscription.replace('sequence\n', `sequence ${aliases}\n`);
    socket.send(
      JSON.stringify({
        id: '1',
        type: 'subscribe',
        payload: { query, variables: { filter, afterSequence } },
      }),
    );
    const reader = openSubscriber(api.server.url, { filter, afterSequence });
    await writeMany(one.scopeId, 1);
    await until('both have begun', () => events.length === 1 && reader.events.length === 1);
    socket.pause();
    for (let written = 1; written < 14_000; written += 2_000) {
      await writeMany(one.scopeId, 2_000);
      await reader.saw(written + 2_000);
    }
    socket.resume();
    await until('it is told', () => isComplete);
    expect(events.at(-1)!.kind).toBe('RESYNC');
    expect(events.length).toBeLessThan(14_000);
    await reader.stop();
    expect(reader.events.some(({ kind }) => kind === 'RESYNC')).toBe(false);
    socket.close();
    await once(socket, 'close');
  }, 180_000);
});
