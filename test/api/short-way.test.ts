import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { buildSchema, parse } from 'graphql';
import { KnownDocuments } from '../../src/api/known-documents.js';
import { RequestBodies } from '../../src/api/request-bodies.js';
import { ShortWay } from '../../src/api/short-way.js';
import { createLog } from '../../src/log.js';
import { Tokens } from '../access/tokens.js';
import { operations } from '../support/state-api.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer, type TestServer } from '../support/test-server.js';
import { until } from '../support/until.js';
import {
  activation,
  asked,
  at,
  late,
  one,
  other,
  otherOnes,
  plainOnes,
  type Asking,
} from './requests-both-ways.js';

/** How the content type is written decides nothing but the way. */
const ways = { short: 'application/json', long: 'application/json;charset=utf-8' };

/** By programs; nothing is, too. */
const accepted = [
  '*/*',
  'application/graphql-response+json',
  'application/graphql-response+json, application/json',
  'application/graphql-response+json,application/json;q=0.9',
];

let database: TestDatabase;
let server: TestServer;
const tokens = { admin: '', reader: '', gnocchi: '', unseen: '' };

beforeAll(async () => {
  database = await createTestDatabase();
  const made = new Tokens(database);
  tokens.admin = (await made.create('a', 'admin')).text;
  tokens.reader = (await made.create('r', 'reader')).text;
  tokens.gnocchi = (await made.create('g', 'collector', { grants: ['collector=nobody'] })).text;
  tokens.unseen = (await made.create('u', 'reader')).text;
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

/** Status, headers and body, byte for byte; but the time of the answer. */
async function send(
  contentType: string,
  body: string | Buffer,
  token: Asking | undefined = 'admin',
  id = 'both',
  url = server.url,
  accept?: string,
) {
  const asked = request(url, {
    method: 'POST',
    headers: {
      'content-type': contentType,
      'content-length': Buffer.byteLength(body),
      'x-request-id': id,
      ...(accept !== undefined && { accept }),
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
const asCases = (rows: [string, string | Buffer, Asking?][]) =>
  rows.map(([what, body, token]) => ({ what, body, token }));

describe('both ways give the same answer, byte for byte:', () => {
  let number = 0;
  const newId = () => `request-${++number}`;

  test.each(asCases(plainOnes))('$what', async ({ body, token }) => {
    // The document is not known at first, and only what comes often is compiled.
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
    for (const accept of accepted) {
      const id = newId();
      const long = await send(ways.long, body, token, id, server.url, accept);
      expect(await send(ways.short, body, token, id, server.url, accept)).toEqual(long);
      expect(await waysOf(id, 2)).toEqual(['long', 'short']);
      expect(long.headers['content-type']).toMatch(
        accept === '*/*' ? /^application.json/ : /^application.graphql-response.json/,
      );
    }
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

test('who has yet to be asked for goes the short way, too', async () => {
  const [body, id] = [asked('{ __typename }'), 'never-seen'];
  await send(ways.long, body);
  const answers = await Promise.all([1, 2, 3].map(async () => send(ways.short, body, 'unseen', id)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(await waysOf(id, 3)).toEqual(['short', 'short', 'short']);
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

test('also where strangers may not see the schema, by whoever may', async () => {
  const closed = await startServer({
    DATABASE_URL: database.url,
    SCOPESTATE_AUTH: 'token',
    NODE_ENV: 'production',
  });
  const told = 'a Did you mean b?';
  const body = asked(operations.find, { unit: { ...one, fetcher: told.padEnd(41) } });
  const [, long, short] = [
    await send(ways.short, body, 'reader', 'both', closed.url),
    await send(ways.long, body, 'reader', 'both', closed.url),
    await send(ways.short, body, 'reader', 'both', closed.url),
  ];
  await closed.stop();
  expect(short).toEqual(long);
  expect(short.body).toContain(told);
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
  const [long, short, ...others] = await Promise.all(
    [undefined, accepted[2]].flatMap((accept) => [
      send(ways.long, body, 'none', 'both', hasty.url, accept),
      send(ways.short, body, 'none', 'both', hasty.url, accept),
    ]),
  );
  await client.query('rollback');
  await hasty.stop();
  expect(short).toEqual(long);
  expect(others[1]).toEqual(others[0]);
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
      admission: {
        admit: () => ({ at: Infinity }),
        contextFor: () => ({ caller: { requestId: 'both' } }),
      } as never,
      documents: { refusalOf: broken } as never,
      known,
      drain: { hasBegun: false },
      bodies: new RequestBodies({ unfinishedBytes: 1_000 } as never, createLog('silent')),
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
