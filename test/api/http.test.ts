import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer, type Answer, type TestServer } from '../support/test-server.js';
import { until } from '../support/until.js';
import { scaled, unit, type Unit } from '../support/units.js';

let database: TestDatabase;
let server: TestServer;

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startServer({ DATABASE_URL: database.url });
});

afterAll(async () => {
  await server.stop();
  await database.drop();
});

const url = (path: string) => new URL(path, server.url);
const json = { 'content-type': 'application/json' };
const typename = JSON.stringify({ query: '{ __typename }' });
const check = (asked: Unit) =>
  server.ask(
    `mutation ($unit: CollectionUnitInput!) { checkScopeState(input: { unit: $unit }) { outcome } }`,
    {
      unit: asked,
    },
  );

/** A request that `fetch` would not send; its body in two parts. */
async function raw(path: string, body: string, options: { method?: string; headers?: string[] } = {}) {
  const { hostname, port } = new URL(server.url);
  const sent = httpRequest({ hostname, port, path, method: 'POST', ...options });
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  sent.write(body.slice(0, 10));
  await once(sent, 'socket');
  sent.end(body.slice(10));
  const [response] = await answered;
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

function expectRefusal(answer: string, requestId: string | null | undefined, code = 'BAD_USER_INPUT') {
  const { errors } = JSON.parse(answer) as Answer;
  expect(errors).toEqual([
    { message: expect.stringMatching(/./), extensions: expect.objectContaining({ code, requestId }) },
  ]);
}

describe('a refusal before GraphQL has GraphQL’s form', () => {
  test.each([
    ['a path that is not there', 404, '/nothing', { method: 'GET' }],
    ['another path under graphql', 404, '/graphql/x', { method: 'POST', headers: json, body: typename }],
    ['a method that is not allowed', 405, '/graphql', { method: 'PUT', headers: json, body: typename }],
    ['a method that is not allowed on health', 405, '/livez', { method: 'POST', headers: json, body: '{}' }],
    ['a body that is no JSON', 400, '/graphql', { method: 'POST', headers: json, body: '{"query": ' }],
    ['an empty body', 400, '/graphql', { method: 'POST', headers: json, body: '' }],
    ['a JSON text', 400, '/graphql', { method: 'POST', headers: json, body: '"query"' }],
    [
      'a key __proto__',
      400,
      '/graphql',
      { method: 'POST', headers: json, body: '{"__proto__":{"query":"{a}"}}' },
    ],
    [
      'a key constructor.prototype',
      400,
      '/graphql',
      {
        method: 'POST',
        headers: json,
        body: '{"query":"{__typename}","constructor":{"prototype":{"a":1}}}',
      },
    ],
    [
      'bytes that are no UTF-8',
      400,
      '/graphql',
      { method: 'POST', headers: json, body: Buffer.from([0x22, 0xff, 0x22]) },
    ],
    [
      'a type that is not JSON',
      415,
      '/graphql',
      { method: 'POST', headers: { 'content-type': 'text/plain' }, body: typename },
    ],
    [
      'another charset',
      415,
      '/graphql',
      { method: 'POST', headers: { 'content-type': 'application/json; charset=latin1' }, body: typename },
    ],
    [
      'a body over 4 MiB',
      413,
      '/graphql',
      { method: 'POST', headers: json, body: `{"query":"{a}","x":"${'x'.repeat(4 * 1024 * 1024)}"}` },
    ],
    ['a query that is not there', 400, '/graphql', { method: 'POST', headers: json, body: '{}' }],
    [
      'several queries in one body',
      400,
      '/graphql',
      { method: 'POST', headers: json, body: `[${typename}]` },
    ],
    ['GET without a query', 400, '/graphql', { method: 'GET' }],
    ['GET that a page could have forged', 400, '/graphql?query={__typename}', { method: 'GET' }],
  ] as [string, number, string, RequestInit][])('%s: %i', async (_what, status, path, init) => {
    const response = await fetch(url(path), init);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toMatch(/^application\/(graphql-response\+)?json/);
    expectRefusal(await response.text(), response.headers.get('x-request-id'));
    expect(response.headers.has('allow')).toBe(status === 405);
  });

  test.each([
    ['GRAPHQL_PARSE_FAILED', '{'],
    ['GRAPHQL_VALIDATION_FAILED', '{ nothing }'],
  ])('and %s comes from GraphQL itself', async (code, query) => {
    const response = await fetch(server.url, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ query }),
    });
    const [error] = ((await response.json()) as Answer).errors!;
    expect(error!.extensions).toEqual({ code, requestId: response.headers.get('x-request-id') });
  });

  test('a GET with a header that no form can send is answered', async () => {
    const response = await fetch(url('/graphql?query={__typename}'), {
      headers: { 'apollo-require-preflight': '1' },
    });
    expect(await response.json()).toEqual({ data: { __typename: 'Query' } });
  });

  test('two content types are not taken for the first one', async () => {
    const headers = ['host', 'x', 'content-type', 'text/plain', 'content-type', 'application/json'];
    const answer = await raw('/graphql', typename, { headers });
    expect(answer.status).toBe(415);
    expectRefusal(answer.body, answer.headers['x-request-id'] as string);
  });

  test.each(['a host that is none', '[', '%00', 'evil.example:99999', '../../x'])(
    'the Host header %j does no harm',
    async (host) => {
      const answer = await raw('/graphql', typename, {
        headers: ['host', host, 'content-type', 'application/json'],
      });
      expect([200, 400]).toContain(answer.status);
      expect(await (await fetch(url('/livez'))).json()).toEqual({ status: 'alive' });
    },
  );
});

test('no page of another origin may read an answer, where none is listed', async () => {
  const origin = 'https://dashboard.example.org';
  const preflight = { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } };
  for (const init of [{ method: 'POST', headers: { ...json, origin }, body: typename }, preflight]) {
    const { headers } = await fetch(server.url, init);
    expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
  }
});

describe('the request id', () => {
  const idOf = async (path: string, init: RequestInit) =>
    (await fetch(url(path), init)).headers.get('x-request-id');

  test.each(['/livez', '/readyz', '/graphql', '/nothing'])(
    'is on the answer of %s, as it was given',
    async (path) => {
      expect(await idOf(path, { headers: { 'x-request-id': 'abc-1.2:3_4' } })).toBe('abc-1.2:3_4');
      expect(await idOf(path, {})).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  test.each(['', 'with a blank', 'x'.repeat(101), '{"a":1}', '../..', 'é'])(
    '%j is replaced',
    async (given) => {
      expect(await idOf('/graphql', { headers: { 'x-request-id': given } })).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  test('of each of many requests at once is the one in its own errors', async () => {
    const ids = Array.from({ length: scaled(500, 50) }, (_, place) => `request-${place}`);
    const told = await Promise.all(
      ids.map(async (id) => {
        const headers = ['host', 'x', 'content-type', 'application/json', 'x-request-id', id];
        const query = `{ scopeState(unit: { scopeId: "", scopeKey: "a", collector: "a", fetcher: "a" }) { id } }`;
        const { body } = await raw('/graphql', JSON.stringify({ query }), { headers });
        return (JSON.parse(body) as Answer).errors![0]!.extensions.requestId;
      }),
    );
    expect(told).toEqual(ids);
  });
});

describe('what fails inside', () => {
  test('is masked, and the log has it under the request id', async () => {
    await database.query('alter table cloudkitty_storage_states rename column fetcher to gatherer');
    try {
      const { errors, data } = await check(unit());
      expect(data ?? null).toBeNull();
      const requestId = errors![0]!.extensions.requestId;
      expect(errors).toEqual([
        {
          message: 'something went wrong inside; the log has it under the requestId',
          path: ['checkScopeState'],
          locations: expect.anything(),
          extensions: { code: 'INTERNAL_SERVER_ERROR', requestId },
        },
      ]);
      const logged = server.logLines.map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(logged.filter((entry) => entry['requestId'] === requestId)).toMatchObject([
        { level: 'error', event: 'internal-error', err: { message: expect.stringContaining('fetcher') } },
      ]);
    } finally {
      await database.query('alter table cloudkitty_storage_states rename column gatherer to fetcher');
    }
    expect((await check(unit())).errors).toBeUndefined();
  });

  test('a session that is ended under a waiting mutation makes it UNAVAILABLE, and the next one is answered', async () => {
    const asked = unit();
    const { waiting, release } = await heldUp([asked]);
    await database.query(
      `select pg_terminate_backend(pid, 10000) from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock'`,
    );
    expect(await waiting[0]).toMatchObject({ errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
    await release();
    expect(await check(asked)).toEqual({ data: { checkScopeState: { outcome: 'BACKFILLED' } } });
  });
});

test('SIGTERM under load: what was accepted is answered, what comes after is refused, exit code 0', async () => {
  // As many as wait for locks in the database at once; more of them would wait in the server.
  const units = Array.from({ length: 6 }, () => unit());
  const { waiting, release } = await heldUp(units);
  const stopped = server.stop();
  await until('it is stopping', () => server.logLines.some((line) => line.includes('"event":"stopping"')));
  await until('the port is closed', () =>
    fetch(url('/livez')).then(
      () => false,
      () => true,
    ),
  );
  await release();
  const answers = await Promise.all(waiting);
  expect(answers).toEqual(units.map(() => ({ data: { checkScopeState: { outcome: 'BACKFILLED' } } })));
  expect(await stopped).toBe(0);
});

test('every line of the log is one JSON object with a time, a level and what it is about', () => {
  const events = server.logLines.map((line) => (JSON.parse(line) as { event?: string }).event);
  expect(events).toEqual(['ready', 'internal-error', 'unavailable', 'stopping', 'stopped']);
  for (const line of server.logLines) {
    expect(JSON.parse(line)).toMatchObject({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      level: expect.stringMatching(/^(debug|info|warn|error)$/),
      msg: expect.stringMatching(/./),
    });
  }
});

/** Checks of units whose legacy rows another session holds until `release`. */
async function heldUp(units: Unit[]) {
  const holder = await database.connect();
  await holder.query('begin');
  for (const { scopeId } of units) {
    await database.query(
      `insert into cloudkitty_storage_states (identifier, last_processed_timestamp) values ($1, '2026-01-01')`,
      [scopeId],
    );
    await holder.query('select from cloudkitty_storage_states where identifier = $1 for update', [scopeId]);
  }
  const waiting = units.map((asked) => check(asked));
  await until('all wait for the lock', async () => {
    const locked = await database.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return locked.length === units.length;
  });
  return { waiting, release: () => holder.query('rollback') };
}
