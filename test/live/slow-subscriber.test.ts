import { once } from 'node:events';
import { beforeAll, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { heapBytes, measurable } from '../support/heap.js';
import { useStateApi } from '../support/state-api.js';
import { openSubscriber, presentSequence, subscription, type Event } from '../support/subscriber.js';
import { createTestDatabase } from '../support/test-database.js';
import { scaled } from '../support/units.js';
import { until } from '../support/until.js';

const table = 'cloudkitty_storage_states';
/** The feed keeps so many changes for all. */
const kept = 10_000;
const many = scaled(100_000, 2 * kept);
const api = useStateApi(() => createTestDatabase(), measurable);

beforeAll(async () => {
  await api.database.query(
    `insert into ${table} (identifier, scope_key, collector, fetcher, last_processed_timestamp)
     select 'scope ' || n, 'project_id', 'gnocchi', 'keystone', '2026-01-01' from generate_series(1, ${many}) n`,
  );
}, 120_000);

/** One transaction that moves all states. */
async function moveAll(): Promise<void> {
  await api.database.query(
    `update ${table} set last_processed_timestamp = last_processed_timestamp + interval '1 hour'`,
  );
}

const sequencesAfter = async (after: string): Promise<string[]> => {
  const rows = await api.database.query<{ sequence: string }>(
    'select sequence from scopestate_history where sequence > $1 order by sequence',
    [after],
  );
  return rows.map(({ sequence }) => sequence);
};

/**
 * A subscriber that can stop to read, and is no dead connection then: it goes on to say that it is there. Long aliases fill
 * the buffers of the network soon.
 */
async function openSlow(afterSequence: string) {
  const socket = new WebSocket(api.server.url.replace('http', 'ws'), 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init' }));
  const events: Event[] = [];
  let isComplete = false;
  const alive = setInterval(() => socket.isPaused && socket.pong(), 2_000);
  socket.on('close', () => clearInterval(alive));
  socket.on('message', (text: Buffer) => {
    const { type, payload } = JSON.parse(text.toString()) as {
      type: string;
      payload: { data: { scopeStateChanged: Event } };
    };
    if (type === 'complete') isComplete = true;
    if (type === 'next') events.push(payload.data.scopeStateChanged);
  });
  await once(socket, 'message');
  const aliases = Array.from({ length: 20 }, (_, n) => `${'x'.repeat(100)}${n}: kind`).join(' ');
  const query = subscription.replace('sequence\n', `sequence ${aliases}\n`);
  socket.send(
    JSON.stringify({ id: '1', type: 'subscribe', payload: { query, variables: { afterSequence } } }),
  );
  return { socket, events, isComplete: () => isComplete };
}

/** One change that is seen by all shows that they have begun. */
async function touchOne(): Promise<void> {
  await api.database.query(
    `update ${table} set last_processed_timestamp = last_processed_timestamp + interval '1 s'
     where identifier = 'scope 1'`,
  );
}

test('whoever reads as fast as it comes sees one transaction whole, however large it is', async () => {
  const afterSequence = await presentSequence(api.server.url);
  const subscribers = [1, 2, 3].map(() => openSubscriber(api.server.url, { afterSequence }));
  const fresh = openSubscriber(api.server.url);
  await until('all have begun', async () => {
    await touchOne();
    return [...subscribers, fresh].every(({ events }) => events.length > 0);
  });
  await moveAll();
  const sequences = await sequencesAfter(afterSequence);
  for (const one of [...subscribers, fresh]) {
    await until('the last one', () => one.events.at(-1)!.sequence === sequences.at(-1), 120_000);
  }
  for (const { events } of subscribers) expect(events.map(({ sequence }) => sequence)).toEqual(sequences);
  const sinceItBegan = sequences.slice(sequences.indexOf(fresh.events[0]!.sequence));
  expect(fresh.events.map(({ sequence }) => sequence)).toEqual(sinceItBegan);
  await Promise.all([...subscribers, fresh].map((one) => one.stop()));
}, 300_000);

test('whoever stops to read for a while misses nothing, and has cost the others nothing', async () => {
  const afterSequence = await presentSequence(api.server.url);
  const slow = await openSlow(afterSequence);
  const reader = openSubscriber(api.server.url, { afterSequence });
  await touchOne();
  await until('both have begun', () => slow.events.length === 1 && reader.events.length === 1);
  slow.socket.pause();
  await moveAll();
  await until('the other one has all', () => reader.events.length === many + 1, 120_000);
  expect(slow.events.length).toBe(1);
  slow.socket.resume();
  await until('it has all', () => slow.events.length >= many + 1 || slow.isComplete(), 120_000);
  const sequences = await sequencesAfter(afterSequence);
  for (const { events } of [slow, reader]) {
    expect(events.map(({ sequence }) => sequence)).toEqual(sequences);
  }
  await reader.stop();
  slow.socket.close();
  await once(slow.socket, 'close');
}, 300_000);

test('whoever is a million numbers behind is told RESYNC, and its subscription is completed', async () => {
  const afterSequence = await presentSequence(api.server.url);
  const slow = await openSlow(afterSequence);
  await touchOne();
  await until('it has begun', () => slow.events.length === 1);
  slow.socket.pause();
  await moveAll();
  // Numbers of a transaction that was rolled back count as well: what is told from it is only how far it is behind.
  await api.database.query(
    `select setval(pg_get_serial_sequence('scopestate_history', 'sequence'),
       (select max(sequence) + 1000000 from scopestate_history))`,
  );
  await touchOne();
  const newest = await presentSequence(api.server.url);
  slow.socket.resume();
  await until('it is told', slow.isComplete, 120_000);
  const told = slow.events.pop()!;
  expect(told.kind).toBe('RESYNC');
  expect(BigInt(told.sequence)).toBeGreaterThanOrEqual(BigInt(newest));
  // What it was sent before has no hole.
  const sequences = (await sequencesAfter(afterSequence)).slice(0, slow.events.length);
  expect(slow.events.map(({ sequence }) => sequence)).toEqual(sequences);
  expect(slow.events.length).toBeLessThan(many);
  slow.socket.close();
  await once(slow.socket, 'close');
}, 300_000);

test('those that do not read hold no memory of what they have not read', async () => {
  const count = 20;
  const afterSequence = await presentSequence(api.server.url);
  const other = openSubscriber(api.server.url, { filter: { scopeIds: ['none'] }, afterSequence });
  await moveAll();
  await presentSequence(api.server.url); // the feed keeps as many changes as it ever will
  const sequences = await sequencesAfter(afterSequence);
  const slow = await Promise.all(Array.from({ length: count }, () => openSlow(sequences.at(-1)!)));
  await touchOne();
  await until('all have begun', () => slow.every(({ events }) => events.length === 1), 60_000);
  const before = await heapBytes(api.server);
  for (const { socket } of slow) socket.pause();
  await moveAll();
  await presentSequence(api.server.url); // the feed has seen it
  const held = ((await heapBytes(api.server)) - before) / count;
  console.log(`a subscriber that does not read holds ${Math.round(held / 1024)} KiB`);
  // All that it has not read would be tens of MiB; what it has read ahead from the table is less than this.
  expect(held).toBeLessThan(256 * 1024);
  for (const { socket } of slow) socket.resume();
  await until('they go on', () => slow.every(({ events }) => events.length > kept), 120_000);
  for (const { socket } of slow) socket.terminate();
  await other.stop();
}, 300_000);
