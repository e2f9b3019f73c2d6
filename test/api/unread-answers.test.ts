import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { waitsForLock } from '../support/lock-waits.js';
import { openSocket } from '../support/raw-socket.js';
import { useStateApi, type StateApi } from '../support/state-api.js';
import { subscription } from '../support/subscriber.js';
import { createTestDatabase } from '../support/test-database.js';
import { unit } from '../support/units.js';
import { until } from '../support/until.js';

/** More than the network's buffers take: 23 MB. */
const large = `{ scopeStates(first: 1000) { nodes { ${Array.from({ length: 90 }, (_, n) => `a${n}: scopeId`).join(' ')} } } }`;
const leastBytes = 1_000 * 90 * 256;

const insertLarge = (api: StateApi) =>
  api.database.query(
    `insert into cloudkitty_storage_states (identifier, last_processed_timestamp)
     select rpad(n::text, 256, 'x'), '2026-01-01' from generate_series(1, 1000) n`,
  );

function post(query: string, more = ''): string {
  const body = JSON.stringify({ query });
  return `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${more}content-length: ${body.length}\r\n\r\n${body}`;
}

let sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets = [];
});

/** Sends and does not read. */
async function sendTo(api: StateApi, bytes: string): Promise<Socket> {
  const socket = await openSocket(api.server.url);
  sockets.push(socket);
  socket.pause();
  socket.write(bytes);
  return socket;
}

const linesOf = (api: StateApi, event: string) =>
  api.server.logLines.map((line) => JSON.parse(line)).filter((line) => line.event === event);

const readWhole = async (api: StateApi) =>
  (
    await (
      await fetch(api.server.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: large }),
      })
    ).text()
  ).length;

describe('an answer that is not read', () => {
  const api = useStateApi(() => createTestDatabase(), {
    SCOPESTATE_ANSWER_TIMEOUT: 'PT1S',
    LOG_LEVEL: 'debug',
  });
  beforeAll(() => insertLarge(api));

  test('ends its connection when its time is over', async () => {
    const sent = await sendTo(api, post(large, 'x-request-id: unread\r\n'));
    await until('it is ended', () => linesOf(api, 'answer-not-read').length > 0);
    expect(linesOf(api, 'answer-not-read')).toEqual([
      expect.objectContaining({
        level: 'warn',
        requestId: 'unread',
        msg: 'an answer was not read, its connection is closed: found 1000 ms; allowed: 1000 (SCOPESTATE_ANSWER_TIMEOUT)',
      }),
    ]);
    expect((await text(sent).catch(() => '')).length).toBeLessThan(leastBytes);
  });

  test('has no time of what is read, idle, or long in the making', async () => {
    const held = unit();
    await api.insertExact(held, '2026-01-01T00:00:00Z');
    const holder = await api.database.connect();
    await holder.query(
      `begin; select from cloudkitty_storage_states where identifier = '${held.scopeId}' for update`,
    );
    const idle = await openSocket(api.server.url);
    sockets.push(idle);
    const get = 'GET /livez HTTP/1.1\r\nhost: x\r\n';
    let heard = '';
    idle.setEncoding('utf8').on('data', (part: string) => (heard += part));
    idle.write(`${get}\r\n`);
    await until('it is answered', () => heard.includes('alive'));
    const { body } = await fetch(`${api.server.url}/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: subscription, variables: { filter: { scopeIds: [held.scopeId] } } }),
    });
    const stream = body!.getReader();
    await stream.read();
    const advanced = api.advance({ unit: held, lastProcessedTimestamp: '2026-01-01T01:00:00Z' });
    await waitsForLock(api.database, 'LockedStates.lock');
    const before = linesOf(api, 'answer-not-read').length;
    await sendTo(api, post(large));
    await until('an unread one is ended', () => linesOf(api, 'answer-not-read').length > before);
    await holder.query('commit');
    expect((await advanced).outcome).toBe('ADVANCED');
    const { value } = await stream.read();
    expect(new TextDecoder().decode(value)).toContain('ADVANCED');
    await stream.cancel();
    idle.write(`${get}connection: close\r\n\r\n`);
    await until('it is answered again', () => heard.split('alive').length === 3);
    expect(await readWhole(api)).toBeGreaterThan(leastBytes);
    expect(linesOf(api, 'answer-not-read')).toHaveLength(before + 1);
  });

  test('requests that are sent without waiting are all answered, in their order', async () => {
    const names = Array.from({ length: 50 }, (_, n) => `a${n}`);
    const last = 'GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
    const socket = await sendTo(api, names.map((name) => post(`{ ${name}: __typename }`)).join('') + last);
    const answers = await text(socket);
    expect(answers.match(/(?<=\{"data":\{")\w+/g)).toEqual(names);
    expect(answers).toMatch(/\{"status":"alive"\}$/);
  });
});

describe('more answers that are not read than there is room for', () => {
  const api = useStateApi(() => createTestDatabase(), {
    SCOPESTATE_ANSWER_TIMEOUT: 'PT1H',
    SCOPESTATE_MAX_UNREAD_BYTES: '30000000',
  });
  beforeAll(() => insertLarge(api));

  test('end the connection of the one that has waited longest; who reads gets his whole', async () => {
    for (const name of ['first', 'second', 'third'])
      await sendTo(api, post(large, `x-request-id: ${name}\r\n`));
    await until('two are ended', () => linesOf(api, 'answer-not-read').length === 2);
    for (const { msg } of linesOf(api, 'answer-not-read')) {
      expect(msg).toMatch(/: found \d+ bytes of all; allowed: 30000000 \(SCOPESTATE_MAX_UNREAD_BYTES\)$/);
    }
    expect(await readWhole(api)).toBeGreaterThan(leastBytes);
  });
});
