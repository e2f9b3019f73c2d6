import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import type { WebSocket } from 'ws';
import { answerTo, openWebSocket } from '../support/open-web-socket.js';
import { exchangeRaw, expectRawRefusal, openSocket } from '../support/raw-socket.js';
import { useStateApi } from '../support/state-api.js';
import { createTestDatabase } from '../support/test-database.js';
import { unit } from '../support/units.js';
import { until } from '../support/until.js';

const typename = JSON.stringify({ query: '{ __typename }' });
const begunBody =
  'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{';
const json = { 'content-type': 'application/json' };

/** The server's connections to its database. */
const poolSize = 20;

describe('sizes and times', () => {
  const api = useStateApi(() => createTestDatabase(), {
    SCOPESTATE_MAX_BODY_BYTES: '2000',
    SCOPESTATE_HEADERS_TIMEOUT: 'PT1S',
    SCOPESTATE_BODY_TIMEOUT: 'PT6S',
    SCOPESTATE_REQUEST_DEADLINE: 'PT1S',
    SCOPESTATE_KEEP_ALIVE: 'PT1S',
  });
  const post = (init: RequestInit) => fetch(api.server.url, { method: 'POST', headers: json, ...init });

  test('a larger body is refused, whether it says its length or not', async () => {
    const body = JSON.stringify({ query: `{ __typename } #${'x'.repeat(2_000)}` });
    for (const sent of [body, new Blob([body]).stream()]) {
      const response = await post({ body: sent, duplex: 'half' });
      expect(response.status).toBe(413);
      expect(await response.json()).toEqual({
        errors: [
          {
            message: expect.stringMatching(
              /^body: found .+; allowed: 2000 bytes \(SCOPESTATE_MAX_BODY_BYTES\)$/,
            ),
            extensions: { code: 'BAD_USER_INPUT', requestId: response.headers.get('x-request-id') },
          },
        ],
      });
    }
  });

  test('a compressed body is refused, however small', async () => {
    const response = await post({
      headers: { ...json, 'content-encoding': 'gzip' },
      body: gzipSync(typename),
    });
    expect(response.status).toBe(415);
    expect(await response.text()).toContain('content-encoding: found \\"gzip\\"; allowed: none');
  });

  test('a larger message closes its WebSocket', async () => {
    const socket = await openWebSocket(api.server.url);
    socket.send('x'.repeat(2_001));
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([1009, 'message: found more; allowed: 2000 bytes']);
  });

  test('300 sockets whose headers come too slowly are told so, and keep no one else waiting', async () => {
    const slowBody = await openSocket(api.server.url);
    slowBody.write(begunBody);
    let isBodyRefused = false;
    slowBody.on('data', () => (isBodyRefused = true));
    const sockets = await Promise.all(Array.from({ length: 300 }, () => openSocket(api.server.url)));
    const answers = Promise.all(
      sockets.map((socket) => {
        socket.write('POST /graphql HTTP/1.1\r\nhost: x\r\n');
        return text(socket);
      }),
    );
    expect(await (await post({ body: typename })).json()).toEqual({ data: { __typename: 'Query' } });
    for (const answer of await answers) expectRawRefusal(answer, 408, 'BAD_USER_INPUT');
    expect(isBodyRefused).toBe(false); // by a time of their own, not by that of whole requests
    slowBody.destroy();
  });

  test('a body that comes too slowly is told so', async () => {
    const answer = await exchangeRaw(api.server.url, begunBody);
    expectRawRefusal(answer, 408, 'BAD_USER_INPUT');
  });

  test('a connection on which no next request comes is closed', async () => {
    const answer = await exchangeRaw(api.server.url, 'GET /livez HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(answer).toContain('{"status":"alive"}');
  });

  test('what takes longer than the deadline is never a success', async () => {
    const wanted = unit();
    await api.insertLegacy(wanted.scopeId, '2026-01-01T00:00:00Z');
    const holder = await api.database.connect();
    await holder.query('begin; lock table cloudkitty_storage_states in access exclusive mode');
    try {
      const [query, mutation] = await Promise.all([
        post({ body: JSON.stringify({ query: '{ scopeStates { totalCount } }' }) }),
        post({
          body: JSON.stringify({
            query:
              'mutation ($unit: CollectionUnitInput!) { checkScopeState(input: { unit: $unit }) { outcome } }',
            variables: { unit: wanted },
          }),
        }),
      ]);
      for (const [response, code] of [
        [query, 'UNAVAILABLE'],
        [mutation, 'OUTCOME_UNKNOWN'],
      ] as const) {
        expect(response.status).toBe(503);
        expect(await response.json()).toEqual({
          errors: [
            {
              message: expect.stringContaining('no answer within 1000 ms (SCOPESTATE_REQUEST_DEADLINE)'),
              extensions: { code, requestId: response.headers.get('x-request-id') },
            },
          ],
        });
      }
    } finally {
      await holder.query('rollback');
    }
    await until('the database is free', async () => (await api.check(wanted)).outcome === 'FOUND');
  });

  test('reads that took too long are ended by the database: whoever comes next finds room in the pool', async () => {
    const holder = await api.database.connect();
    await holder.query('begin; lock table cloudkitty_storage_states in access exclusive mode');
    try {
      const slow = JSON.stringify({ query: '{ scopeStates { totalCount } }' });
      const refused = await Promise.all(Array.from({ length: poolSize }, () => post({ body: slow })));
      expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 503));
      await until('nobody waits for the lock any more', async () => {
        const [row] = await api.database.query<{ waiting: string }>(
          `select count(*) as waiting from pg_stat_activity
           where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return row!.waiting === '0';
      });
      const other = await post({
        body: JSON.stringify({ query: '{ scopeStateChanges(first: 1) { nodes { sequence } } }' }),
      });
      expect(await other.json()).toMatchObject({ data: { scopeStateChanges: {} } });
    } finally {
      await holder.query('rollback');
    }
  });
});

describe('how many', () => {
  const api = useStateApi(() => createTestDatabase(), {
    SCOPESTATE_MAX_CONNECTIONS: '10',
  });

  test('a connection too many is told so; those that are open go on', async () => {
    const sockets = await Promise.all(Array.from({ length: 10 }, () => openSocket(api.server.url)));
    const get = 'GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
    const refused = await exchangeRaw(api.server.url, get);
    expect(expectRawRefusal(refused, 503, 'UNAVAILABLE')).toMatch(/^connections: found 10; allowed: 10 /);
    expect(refused).toMatch(/^retry-after: 1$/im);
    sockets[0]!.write(get);
    expect(await text(sockets[0]!)).toContain('{"status":"alive"}');
    for (const socket of sockets) socket.destroy();
    await until('there is room again', async () =>
      (await exchangeRaw(api.server.url, get)).startsWith('HTTP/1.1 200'),
    );
  });
});

describe('HOST=localhost, where that is two addresses', () => {
  const api = useStateApi(() => createTestDatabase(), {
    HOST: 'localhost',
    SCOPESTATE_MAX_CONNECTIONS: '10',
    NODE_OPTIONS: `--import=${process.cwd()}/test/support/two-localhosts.js`,
  });

  test('there is no second way in, past the limits', async () => {
    const { port } = new URL(api.server.url);
    const sockets = await Promise.all(Array.from({ length: 10 }, () => openSocket(api.server.url)));
    const get = 'GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
    expectRawRefusal(await exchangeRaw(`http://127.0.0.1:${port}`, get), 503, 'UNAVAILABLE');
    await expect(exchangeRaw(`http://127.0.0.2:${port}`, get)).rejects.toThrow('ECONNREFUSED');
    for (const socket of sockets) socket.destroy();
  });
});

describe('how often', () => {
  const api = useStateApi(() => createTestDatabase(), {
    SCOPESTATE_RATE: '1',
    SCOPESTATE_RATE_BURST: '5',
  });
  let socket: WebSocket;
  beforeAll(async () => {
    socket = await openWebSocket(api.server.url);
  });
  afterAll(() => socket.close());

  test('a caller who sends too much is told when to come back; health goes on', async () => {
    const refusals: Response[] = [];
    await until('the bucket is empty', async () => {
      const response = await fetch(api.server.url, { method: 'POST', headers: json, body: typename });
      if (response.status === 429) refusals.push(response);
      return refusals.length > 0;
    });
    const [response] = refusals;
    expect(response!.headers.get('retry-after')).toBe('1');
    expect(await response!.json()).toEqual({
      errors: [
        {
          message:
            'requests: found more than allowed; allowed: 1 a second, 5 at once (SCOPESTATE_RATE, SCOPESTATE_RATE_BURST); try again in 1 s',
          extensions: { code: 'RATE_LIMITED', requestId: response!.headers.get('x-request-id') },
        },
      ],
    });
    expect(await answerTo(socket, '1')).toMatchObject({
      type: 'error',
      payload: [{ extensions: { code: 'RATE_LIMITED' } }],
    });
    const upgrade = await exchangeRaw(
      api.server.url,
      'GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    expectRawRefusal(upgrade, 429, 'RATE_LIMITED');
    expect((await fetch(new URL('/livez', api.server.url))).status).toBe(200);
  });
});
