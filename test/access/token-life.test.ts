import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { promised } from '../support/promised.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer, type TestServer } from '../support/test-server.js';
import { unit } from '../support/units.js';
import { until } from '../support/until.js';
import { openSocket, openStream } from './subscribers.js';
import { Tokens } from './tokens.js';

const noticeMillis = promised(2_000);

let database: TestDatabase;
let tokens: Tokens;
let servers: [TestServer, TestServer];

beforeAll(async () => {
  database = await createTestDatabase();
  tokens = new Tokens(database);
  const settings = { DATABASE_URL: database.url, SCOPESTATE_AUTH: 'token', LOG_LEVEL: 'trace' };
  servers = await Promise.all([startServer(settings), startServer(settings)]);
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await tokens.close();
  await database.drop();
});

async function statusOf(server: TestServer, authorization?: string) {
  const response = await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization !== undefined && { authorization }) },
    body: JSON.stringify({ query: '{ __typename }' }),
  });
  const body = (await response.json()) as any;
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    code: body.errors?.[0].extensions.code as string | undefined,
    message: body.errors?.[0].message as string | undefined,
    requestId: body.errors?.[0].extensions.requestId as string | undefined,
  };
}
const bearer = ({ text }: { text: string }) => `Bearer ${text}`;

/** How long until a server answers with that status. */
const untilStatus = (server: TestServer, status: number, authorization: string) =>
  until(`status ${status}`, async () => (await statusOf(server, authorization)).status === status);

describe('over HTTP', () => {
  test('a new token is in force at once, on every server', async () => {
    const token = await tokens.create('new', 'reader');
    for (const server of servers) expect((await statusOf(server, bearer(token))).status).toBe(200);
  });

  test.each(['application/json', 'application/json;charset=utf-8'])(
    'what comes so slowly that its token is revoked meanwhile is not done (%s)',
    async (contentType) => {
      const token = await tokens.create('slow', 'reader');
      const authorization = bearer(token);
      const body = JSON.stringify({ query: '{ __typename }' });
      expect((await statusOf(servers[0], authorization)).status).toBe(200); // the document is known
      const slow = request(servers[0].url, {
        method: 'POST',
        headers: {
          'content-type': contentType,
          'content-length': body.length,
          authorization,
          expect: '100-continue',
        },
      });
      const answer = once(slow, 'response');
      slow.flushHeaders();
      await once(slow, 'continue'); // it was let in
      slow.write(body.slice(0, 5));
      const startedAt = performance.now();
      await tokens.revoke(token.id);
      await until('two seconds are over', () => performance.now() - startedAt > noticeMillis);
      slow.end(body.slice(5));
      const [response] = (await answer) as [IncomingMessage];
      expect(response.statusCode).toBe(401);
      expect(await json(response)).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
    },
  );

  test('without one the answer is 401, with a challenge, a code and a request id', async () => {
    expect(await statusOf(servers[0])).toMatchObject({
      status: 401,
      challenge: 'Bearer',
      code: 'UNAUTHENTICATED',
      message: expect.stringContaining('Authorization: Bearer'),
      requestId: expect.stringMatching(/./),
    });
  });

  test('a wrong one is refused, whatever is wrong with it, and not said again', async () => {
    const token = await tokens.create('right', 'admin');
    const { text } = token;
    const wrong = [
      `Bearer ${text.slice(0, -1)}${text.endsWith('A') ? 'E' : 'A'}`,
      `Bearer ${text.replace(token.id, '0123456789abcdef')}`,
      `Bearer ${text}x`,
      `Bearer ${text} ${text}`,
      `Basic ${Buffer.from(text).toString('base64')}`,
      text,
      'Bearer',
      '',
    ];
    for (const authorization of wrong) {
      const { message, ...answer } = await statusOf(servers[0], authorization);
      expect(answer).toMatchObject({
        status: 401,
        challenge: 'Bearer error="invalid_token"',
        code: 'UNAUTHENTICATED',
      });
      expect(message).not.toContain(text.slice(-43, -1));
    }
    expect((await statusOf(servers[0], `bearer ${text}`)).status).toBe(200);
  });

  test('a revoked one is refused by every server within two seconds', async () => {
    const token = await tokens.create('revoked', 'reader');
    for (const server of servers) expect((await statusOf(server, bearer(token))).status).toBe(200);
    await tokens.revoke('revoked');
    const waits = await Promise.all(servers.map((server) => untilStatus(server, 401, bearer(token))));
    expect(Math.max(...waits)).toBeLessThan(noticeMillis);
  });

  test('an expired one is refused, and its name is free again', async () => {
    const token = await tokens.create('brief', 'reader', { expiresIn: 'PT2S' });
    expect((await statusOf(servers[0], bearer(token))).status).toBe(200);
    await expect(tokens.create('brief', 'reader')).rejects.toThrow('which a token in force has');
    await untilStatus(servers[0], 401, bearer(token));
    // A server counts from before it asked the database: it refuses a moment earlier.
    await until('it has expired by the database', async () => {
      const [row] = await database.query<{ expired: boolean }>(
        `select expires_at <= timezone('utc', clock_timestamp()) as expired from scopestate_tokens where id = '${token.id}'`,
      );
      return row!.expired;
    });
    await tokens.create('brief', 'reader');
    const listed = await database.query<{ n: string }>(
      `select count(*) as n from scopestate_tokens where name = 'brief'`,
    );
    expect(listed).toEqual([{ n: '2' }]);
  });

  test('the history and the log say the token’s name', async () => {
    const token = await tokens.create('night shift', 'admin');
    const advanced = await servers[0].ask(
      `mutation ($unit: CollectionUnitInput!) {
        advanceScopeState(input: { unit: $unit, lastProcessedTimestamp: "2026-01-01T00:00:00Z" }) {
          scopeState { id changes { nodes { actor } } }
        }
      }`,
      { unit: unit() },
      token.text,
    );
    const { scopeState } = advanced.data!['advanceScopeState'];
    expect(scopeState.changes.nodes).toEqual([{ actor: 'night shift' }]);
    await servers[0].ask(
      `mutation ($ids: [ID!]) {
        setScopeActivation(input: { select: { ids: $ids }, active: false, reason: "a test" }) { outcome }
      }`,
      { ids: [scopeState.id] },
      token.text,
    );
    expect(servers[0].logLines.some((line) => line.includes('"caller":"night shift"'))).toBe(true);
  });
});

describe('over WebSocket', () => {
  test.each(['header', 'payload'] as const)('a token comes in the %s', async (place) => {
    const token = await tokens.create(`ws ${place}`, 'reader');
    const socket = openSocket(
      servers[0].url,
      place === 'header' ? { header: bearer(token) } : { payload: { Authorization: bearer(token) } },
    );
    await socket.acknowledged;
    socket.end();
  });

  test('the payload goes before the header', async () => {
    const token = await tokens.create('ws both', 'reader');
    const right = openSocket(servers[0].url, {
      header: 'Bearer nonsense',
      payload: { authorization: bearer(token) },
    });
    await right.acknowledged;
    right.end();
    const wrong = openSocket(servers[0].url, {
      header: bearer(token),
      payload: { authorization: 'Bearer nonsense' },
    });
    expect((await wrong.closed).code).toBe(4403);
  });

  test.each([
    ['none', {}],
    ['a wrong one', { header: 'Bearer nonsense' }],
    ['something that is no text', { payload: { authorization: { $ne: null } } }],
    ['an empty text', { payload: { authorization: '' } }],
  ])('with %s the connection is closed, and nothing was sent', async (_, given) => {
    const socket = openSocket(servers[0].url, given);
    expect(await socket.closed).toMatchObject({ code: 4403, reason: expect.stringMatching(/token/) });
    expect(socket.messages).toEqual([]);
  });

  test.each([
    ['expires', { expiresIn: 'PT3S' }],
    ['is revoked', {}],
  ])('a subscription ends when its token %s', async (how, wanted) => {
    const token = await tokens.create(`ws that ${how}`, 'reader', wanted);
    const sockets = servers.map((server) => openSocket(server.url, { header: bearer(token) }));
    const bystander = openSocket(servers[0].url, {
      header: bearer(await tokens.create(`ws ${how}`, 'reader')),
    });
    await Promise.all([...sockets, bystander].map(({ acknowledged }) => acknowledged));
    if (how === 'is revoked') await tokens.revoke(token.id);
    const from = performance.now();
    for (const { closed } of sockets) {
      expect(await closed).toEqual({
        code: 4403,
        reason: 'this token is not in force: it is unknown, expired or revoked',
      });
    }
    expect(performance.now() - from).toBeLessThan(noticeMillis + (how === 'expires' ? 3_000 : 0));
    await bystander.acknowledged;
    expect(await Promise.race([bystander.closed, Promise.resolve('open')])).toBe('open');
    bystander.end();
  });
});

describe('over server-sent events', () => {
  test('without a token the answer is 401', async () => {
    const { status, headers, text } = await openStream(servers[0].url);
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(await text).toContain('UNAUTHENTICATED');
  });

  test.each([
    ['expires', { expiresIn: 'PT3S' }],
    ['is revoked', {}],
  ])('a stream ends with an error when its token %s', async (how, wanted) => {
    const token = await tokens.create(`sse that ${how}`, 'reader', wanted);
    const streams = await Promise.all(servers.map((server) => openStream(server.url, token.text)));
    await Promise.all(streams.map(({ begun }) => begun));
    if (how === 'is revoked') await tokens.revoke(token.id);
    const from = performance.now();
    for (const { text } of streams) {
      expect(await text).toMatch(
        /^:\n\nevent: next\ndata: \{"errors":\[\{"message":"this token is not in force[^\n]*"code":"UNAUTHENTICATED","requestId":"[^"]+"\}\}\]\}\n\nevent: complete\ndata:\n\n$/,
      );
    }
    expect(performance.now() - from).toBeLessThan(noticeMillis + (how === 'expires' ? 3_000 : 0));
  });
});

test('no secret was logged by any of this, at the most talkative level', () => {
  const lines = servers.flatMap(({ logLines }) => logLines);
  expect(lines.length).toBeGreaterThan(20);
  expect(lines.filter((line) => /scst_[0-9a-f]{16}/.test(line))).toEqual([]);
  expect(lines.filter((line) => /authorization|bearer/i.test(line))).toEqual([]);
});
