import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { answerTo, openWebSocket } from '../support/open-web-socket.js';
import { useStateApi } from '../support/state-api.js';
import { subscription } from '../support/subscriber.js';
import { createTestDatabase } from '../support/test-database.js';
import { until } from '../support/until.js';

const json = { 'content-type': 'application/json' };

/** Whether an event stream begins as one that goes on. */
async function begins(stream: Promise<Response>): Promise<boolean> {
  const reader = (await stream).body!.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return new TextDecoder().decode(value).startsWith(':\n');
}

describe('how large', () => {
  const api = useStateApi(() => createTestDatabase(), { SCOPESTATE_MAX_SUBSCRIPTION_BYTES: '1000000' });
  const stream = (query: string) =>
    fetch(`${api.server.url}/stream`, {
      method: 'POST',
      headers: { ...json, accept: 'text/event-stream' },
      body: JSON.stringify({ query }),
    });
  /** Weighs some 300,000 bytes: half a kilobyte a token. */
  const large = `subscription { scopeStateChanged { ${'kind '.repeat(600)} } }`;

  test('one that would take more memory than a caller’s share is refused, until others end', async () => {
    const socket = await openWebSocket(api.server.url);
    const subscribe = (id: string) =>
      socket.send(JSON.stringify({ type: 'subscribe', id, payload: { query: large } }));
    subscribe('1');
    subscribe('2');
    const [refused] = (await once(socket, 'message')) as [Buffer];
    const { id, payload } = JSON.parse(refused.toString());
    expect(id).toBe('2');
    expect(payload.errors).toEqual([
      {
        message: expect.stringMatching(
          /^subscriptions: found 6\d{5} bytes of yours; allowed: 500000 \(half of SCOPESTATE_MAX_SUBSCRIPTION_BYTES\)$/,
        ),
        extensions: { code: 'RATE_LIMITED', requestId: expect.stringMatching(/./) },
      },
    ]);
    expect(await (await stream(large)).text()).toContain('RATE_LIMITED');
    socket.send(JSON.stringify({ type: 'complete', id: '1' }));
    await until('there is room again', () => begins(stream(large)));
    socket.close();
  });

  test('comments weigh as text', async () => {
    const withComments = (lines: number) =>
      `subscription { scopeStateChanged { kind } } ${'#\n'.repeat(lines)}`;
    expect(await begins(stream(withComments(1_100)))).toBe(true);
    expect(await (await stream(withComments(130_000))).text()).toContain('bytes of yours');
  });

  test('values weigh as well', async () => {
    const socket = await openWebSocket(api.server.url);
    const variables = { filter: { scopeIds: Array.from({ length: 1_000 }, () => 'x'.repeat(256)) } };
    socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: subscription, variables } }));
    const [refused] = (await once(socket, 'message')) as [Buffer];
    expect(refused.toString()).toContain('bytes of yours');
    socket.close();
  });

  test('a body for one is smaller than others', async () => {
    const response = await stream('x'.repeat(1_048_576));
    expect(response.status).toBe(413);
    expect(await response.text()).toMatch(/body: found \d+ bytes; allowed: 1048576 bytes here/);
  });
});

describe('how many', () => {
  const api = useStateApi(() => createTestDatabase(), {
    SCOPESTATE_MAX_SUBSCRIPTIONS: '3',
    SCOPESTATE_MAX_SUBSCRIPTIONS_PER_CALLER: '2',
  });

  test('a caller’s subscriptions are counted, over WebSocket and server-sent events together, until they end', async () => {
    const socket = await openWebSocket(api.server.url);
    const refusal = {
      message: 'subscriptions: found 2 of yours; allowed: 2 (SCOPESTATE_MAX_SUBSCRIPTIONS_PER_CALLER)',
      extensions: { code: 'RATE_LIMITED', requestId: expect.stringMatching(/./) },
    };
    const told: any[] = [];
    socket.on('message', (message: Buffer) => told.push(JSON.parse(message.toString())));
    for (const id of ['1', '2', '3', '4', '5']) {
      socket.send(JSON.stringify({ type: 'subscribe', id, payload: { query: subscription } }));
    }
    await until('three are refused', () => told.filter(({ payload }) => payload !== undefined).length >= 3);
    const refused = told.filter(({ payload }) => payload !== undefined);
    expect(refused.map(({ id }) => id)).toEqual(['3', '4', '5']);
    for (const { payload } of refused) expect(payload.errors ?? payload).toEqual([refusal]);
    expect((await answerTo(socket, '6')).payload).toEqual([refusal]);
    const stream = () =>
      fetch(`${api.server.url}/stream`, {
        method: 'POST',
        headers: { ...json, accept: 'text/event-stream' },
        body: JSON.stringify({ query: subscription }),
      });
    expect(await (await stream()).text()).toContain('RATE_LIMITED');
    socket.close();
    await once(socket, 'close');
    await until('a subscription begins', () => begins(stream()));
  });
});
