import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { buildSchema, parse } from 'graphql';
import { KnownDocuments } from '../../src/api/known-documents.js';
import { ShortWay } from '../../src/api/short-way.js';
import { createLog } from '../../src/log.js';
import { Tokens } from '../access/tokens.js';
import { operations } from '../support/state-api.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer, type TestServer } from '../support/test-server.js';
import { unit } from '../support/units.js';
import { until } from '../support/until.js';

/** How the content type is written decides nothing but the way. */
const ways = { short: 'application/json', long: 'application/json;charset=utf-8' };
const at = '2026-01-01T00:00:00Z';
const [one, other] = [unit(), unit()];
/** of a year that RFC 3339 has no digits for, which only a constraint that is gone lets in */
const late = [unit(), unit()];

let database: TestDatabase;
let server: TestServer;
const tokens = { admin: '', reader: '', gnocchi: '' };

beforeAll(async () => {
  database = await createTestDatabase();
  const made = new Tokens(database);
  tokens.admin = (await made.create('a', 'admin')).text;
  tokens.reader = (await made.create('r', 'reader')).text;
  tokens.gnocchi = (await made.create('g', 'collector', { grants: ['collector=nobody'] })).text;
  await made.close();
  const settings = { DATABASE_URL: database.url, SCOPESTATE_AUTH: 'token', LOG_LEVEL: 'debug' };
  server = await startServer({ ...settings, SCOPESTATE_MAX_COST: '5000' });
  for (const scope of [one, other, ...late]) {
    const input = { unit: scope, lastProcessedTimestamp: at, expected: null };
    await send(ways.long, JSON.stringify({ query: operations.advance, variables: { input } }));
  }
  const client = await database.connect();
  await client.query('alter table cloudkitty_storage_states drop constraint scopestate_answerable_times');
  await client.query(
    `update cloudkitty_storage_states set last_processed_timestamp = '10000-01-01' where identifier = any ($1)`,
    [late.map(({ scopeId }) => scopeId)],
  );
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

type Token = keyof typeof tokens | 'none';

/** Status, headers and body, byte for byte; but the time of the answer. */
async function send(
  contentType: string,
  body: string | Buffer,
  token: Token | undefined = 'admin',
  id = 'both',
  url = server.url,
) {
  const asked = request(url, {
    method: 'POST',
    headers: {
      'content-type': contentType,
      'content-length': Buffer.byteLength(body),
      'x-request-id': id,
      ...(token !== 'none' && { authorization: `Bearer ${tokens[token]}` }),
    },
  });
  asked.end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const { date: _, ...headers } = response.headers;
  return { status: response.statusCode, headers, body: await text(response) };
}

/** By which way each request with this id went, once all are logged. */
async function waysOf(id: string, count: number): Promise<string[]> {
  const seen = () =>
    server.logLines
      .map((line) => JSON.parse(line) as { event: string; requestId?: string; way?: string })
      .filter(({ event, requestId }) => event === 'request' && requestId === id);
  await until('it is logged', () => seen().length >= count);
  return seen().map(({ way }) => way ?? 'long');
}

/** A row of a table that is shorter than its test would be given a callback. */
const asCases = (rows: [string, string | Buffer, Token?][]) =>
  rows.map(([what, body, token]) => ({ what, body, token }));

const asked = (query: string, variables?: unknown) => JSON.stringify({ query, variables });
const advanceOf = (timestamp: unknown, more: object = {}) =>
  asked(operations.advance, { input: { unit: one, lastProcessedTimestamp: timestamp, ...more } });

/** Exactly one of the selector's fields is needed, and this one may be null. */
const activation = asked(
  'mutation ($ids: [ID!]) { setScopeActivation(input: { active: true, reason: "r", select: { ids: $ids } }) { outcome } }',
  { ids: null },
);

/** What is answered by the short way, once the document is known. */
const plainOnes: [string, string, Token?][] = [
  ['a look-up', asked(operations.find, { unit: one })],
  ['a look-up of nothing', asked(operations.find, { unit: { ...one, collector: 'none' } })],
  ['a look-up of what is not granted', asked(operations.find, { unit: one }), 'gnocchi'],
  ['a page', asked(operations.page, { first: 10 })],
  [
    'variables that are null',
    JSON.stringify({ query: '{ __typename }', variables: null, operationName: null }),
  ],
  ['no variables', asked('{ __typename }')],
  [
    'a page with all that a state says, under other names',
    asked(`query ($last: Int = 2) {
      page: scopeStates(last: $last, orderBy: { field: LAST_PROCESSED_TIMESTAMP }) {
        __typename edges { at: cursor node { ...All again: scopeId } } pageInfo { hasNextPage startCursor endCursor }
      }
    } fragment All on ScopeState {
      __typename id scopeId legacy lastProcessedTimestamp scopeActivationToggleDate lastAdvancedAt updatedAt version
    }`),
  ],
  [
    'an empty page',
    asked('{ scopeStates(filter: { scopeIds: ["nobody"] }) { nodes { id } pageInfo { endCursor } } }'),
  ],
  ['an argument that a variable makes a wrong one', activation],
  ['a count', asked('{ scopeStates(first: 1) { totalCount nodes { scopeId } } }')],
  [
    'the changes of states',
    asked('{ scopeStates(first: 2) { nodes { changes(first: 1) { nodes { kind } } } } }'),
  ],
  ['changes', asked('{ scopeStateChanges(first: 2) { nodes { __typename sequence kind } } }')],
  [
    'a node',
    asked('query ($id: ID!) { node(id: $id) { __typename id ... on ScopeState { version } } }', { id: 'x' }),
  ],
  [
    'a page that is refused',
    asked('query ($first: Int) { scopeStates(first: $first) { nodes { id } } }', { first: 0 }),
  ],
  ['a cursor that is none', asked('{ scopeStates(after: "x") { nodes { id } } }')],
  [
    'a time that can not be written',
    asked(
      'query ($unit: CollectionUnitInput!) { scopeState(unit: $unit) { scopeId lastProcessedTimestamp coveredUntil } }',
      {
        unit: late[0],
      },
    ),
  ],
  [
    'a page of times that can not be written',
    asked(
      'query ($ids: [String!]) { scopeStates(filter: { scopeIds: $ids }) { nodes { lastProcessedTimestamp } } }',
      {
        ids: late.map(({ scopeId }) => scopeId),
      },
    ),
  ],
  [
    'a mutation of a state whose time can not be written',
    asked(operations.check, { input: { unit: late[0] } }),
  ],
  ['an operation by its name', JSON.stringify({ query: 'query Name { __typename }', operationName: 'Name' })],
  ['the schema', asked('{ __schema { queryType { name } } }')],
  ['an advance that was done', advanceOf(at)],
  ['an advance that goes back', advanceOf('2025-12-01T00:00:00Z', { expected: at })],
  ['an advance that is not granted', advanceOf(at), 'gnocchi'],
  [
    'a batch',
    asked(operations.advanceAll, {
      input: { advances: [one, other].map((scope) => ({ unit: scope, lastProcessedTimestamp: at })) },
    }),
  ],
  ['a text that the rules refuse', asked(operations.find, { unit: { ...one, scopeId: '' } })],
  [
    'a text that the rules refuse a mutation',
    asked(operations.check, { input: { unit: { ...one, fetcher: 'x'.repeat(41) } } }),
  ],
  ['a mutation of somebody who may only read', advanceOf(at), 'reader'],
  [
    'some of several fields at fault',
    asked(
      'query ($unit: CollectionUnitInput!, $bad: CollectionUnitInput!) { good: scopeState(unit: $unit) { version } bad: scopeState(unit: $bad) { version } }',
      { unit: one, bad: { ...one, scopeKey: '' } },
    ),
  ],
];

/** What looks plain, and takes the long way after all. */
const otherOnes: [string, string | Buffer, Token?][] = [
  ['a value that its type refuses', advanceOf('yesterday')],
  ['a variable that is missing', asked(operations.find, {})],
  ['a field that is not known', asked(operations.find, { unit: { ...one, extra: 1 } })],
  [
    'two of exactly one',
    asked(operations.reset, {
      input: { select: { all: true, ids: [] }, lastProcessedTimestamp: at, reason: 'r' },
    }),
  ],
  ['more than may be asked for', asked(operations.page, { first: 1000 })],
  ['another operation’s name', JSON.stringify({ query: '{ __typename }', operationName: 'Other' })],
  ['an empty operation name', JSON.stringify({ query: '{ __typename }', operationName: '' })],
  ['a name that is a number', JSON.stringify({ query: '{ __typename }', operationName: 1 })],
  ['variables that are a list', JSON.stringify({ query: '{ __typename }', variables: [] })],
  ['variables that are a text', JSON.stringify({ query: '{ __typename }', variables: '{}' })],
  [
    'extensions',
    JSON.stringify({
      query: '{ __typename }',
      extensions: { persistedQuery: { version: 1, sha256Hash: 'x' } },
    }),
  ],
  ['a directive', asked('{ __typename @skip(if: true) }')],
  [
    'two operations',
    JSON.stringify({ query: 'query A { __typename } query B { __typename }', operationName: 'B' }),
  ],
  ['a document that is none', asked('{ nothing }')],
  ['a document that can’t be read', asked('{')],
  ['a list of requests', JSON.stringify([{ query: '{ __typename }' }])],
  ['a text instead of an object', '"{ __typename }"'],
  ['an object without keys', '{}'],
  ['no JSON', '{"query": '],
  ['no body', ''],
  [
    'no UTF-8',
    Buffer.concat([
      Buffer.from('{"query":"{ __typename }","variables":{"a":"'),
      Buffer.from([0xff]),
      Buffer.from('"}}'),
    ]),
  ],
  ['a byte order mark', '\uFEFF{"query":"{ __typename }"}'],
  ['a name that reaches a prototype', '{"query":"{ __typename }","variables":{"__proto__":{"a":1}}}'],
  ['one that is hidden by escapes', '{"query":"{ __typename }","variables":{"\\u005f_proto__":{"a":1}}}'],
  [
    'the prototype of a constructor',
    '{"query":"{ __typename }","variables":{"constructor":{"prototype":{}}}}',
  ],
  ['a subscription', asked('subscription { scopeStateChanged { sequence } }')],
];

describe('both ways give the same answer, byte for byte:', () => {
  let number = 0;
  const newId = () => `request-${++number}`;

  test.each(asCases(plainOnes))('$what', async ({ body, token }) => {
    // The document is not known at first, nor is a token each second; and only what comes often is compiled.
    let short = 0;
    await until('it takes the short way often', async () => {
      const id = newId();
      const long = await send(ways.long, body, token, id);
      expect(await send(ways.short, body, token, id)).toEqual(long);
      const [first, second] = await waysOf(id, 2);
      expect(first).toBe('long');
      if (second === 'short') short++;
      return short > 3;
    });
  });

  test.each(asCases(otherOnes))('$what', async ({ body, token }) => {
    const id = newId();
    const long = await send(ways.long, body, token, id);
    expect(await send(ways.short, body, token, id)).toEqual(long);
    expect(await send(ways.short, body, token, id)).toEqual(long);
    expect(await waysOf(id, 3)).toEqual(['long', 'long', 'long']);
  });

  test('a token that is missing', async () => {
    const body = asked('{ __typename }');
    const [long, short] = [await send(ways.long, body, 'none'), await send(ways.short, body, 'none')];
    expect(short).toEqual(long);
    expect(short.status).toBe(401);
  });
});

test('an argument that a variable makes a wrong one is the caller’s mistake', async () => {
  const { body } = await send(ways.long, activation);
  const { errors } = JSON.parse(body) as { errors: { message: string; extensions: { code: string } }[] };
  expect(errors).toHaveLength(1);
  expect(errors[0]!.message).toMatch(/^Argument "input" has invalid value/);
  expect(errors[0]!.extensions.code).toBe('BAD_USER_INPUT');
});

test('also where origins are listed, whose pages may call', async () => {
  const open = await startServer({
    DATABASE_URL: database.url,
    SCOPESTATE_CORS_ORIGINS: 'https://one.example',
  });
  const [, long, short] = [
    await send(ways.short, asked('{ __typename }'), 'none', 'both', open.url),
    await send(ways.long, asked('{ __typename }'), 'none', 'both', open.url),
    await send(ways.short, asked('{ __typename }'), 'none', 'both', open.url),
  ];
  await open.stop();
  expect(short).toEqual(long);
  expect(short.headers['vary']).toBe('Origin');
});

test('what takes the long way after all is counted once', async () => {
  const limited = await startServer({
    DATABASE_URL: database.url,
    SCOPESTATE_RATE: '1',
    SCOPESTATE_RATE_BURST: '5',
  });
  const statuses: number[] = [];
  for (let number = 0; number < 6; number++) {
    const response = await fetch(limited.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: number % 2 === 0 ? '{' : asked('{ __typename }'),
    });
    statuses.push(response.status);
  }
  await limited.stop();
  expect(statuses).toEqual([400, 200, 400, 200, 400, 429]);
});

test('what is too late is told alike', async () => {
  const hasty = await startServer({ DATABASE_URL: database.url, SCOPESTATE_REQUEST_DEADLINE: 'PT1S' });
  const body = asked(operations.check, { input: { unit: one } });
  await send(ways.long, body, 'none', 'both', hasty.url);
  const client = await database.connect();
  await client.query('begin; lock table cloudkitty_storage_states in access exclusive mode');
  const [long, short] = await Promise.all([
    send(ways.long, body, 'none', 'both', hasty.url),
    send(ways.short, body, 'none', 'both', hasty.url),
  ]);
  await client.query('rollback');
  await hasty.stop();
  expect(short).toEqual(long);
  expect(short).toMatchObject({ status: 503, body: expect.stringContaining('"OUTCOME_UNKNOWN"') });
});

test('a fault of ours is told, and ends nothing', async () => {
  const broken = () => {
    throw new Error('of ours');
  };
  const known = new KnownDocuments();
  known.remember('{ __typename }', parse('{ __typename }'));
  const shortWay = new ShortWay(
    {
      schema: buildSchema('type Query { a: Int }'),
      log: createLog('silent'),
      admission: { admitNow: () => ({}), contextFor: () => ({ caller: { requestId: 'both' } }) } as never,
      documents: { refusalOf: broken } as never,
      known,
      drain: { hasBegun: false },
      largestBody: 1_000,
      deadlineMillis: 10_000,
      hidesSchema: false,
      headers: {},
      onMutation: () => undefined,
    },
    broken,
  );
  const http = createServer(shortWay.take).listen(0, '127.0.0.1');
  await once(http, 'listening');
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/graphql`;
  for (let times = 0; times < 2; times++) {
    expect(await send(ways.short, asked('{ __typename }'), 'none', 'both', url)).toMatchObject({
      status: 500,
      body: expect.stringContaining('"INTERNAL_SERVER_ERROR"'),
    });
  }
  http.closeAllConnections();
  http.close();
});
