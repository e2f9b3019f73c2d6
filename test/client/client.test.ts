import { describe, expect, test } from '@jest/globals';
import { buildSchema, parse, validate } from 'graphql';
import { readFileSync } from 'node:fs';
import { clientOf, errorOf, found } from './client-words.js';
import { documents } from '../../src/client/operations.js';
import { createTestDatabase } from '../support/test-database.js';
import { useStateApi } from '../support/state-api.js';
import { unit } from '../support/units.js';
import { answer, breakInside, breakOff, fakeServer, keepSilent, refuse, type Reply } from './fake-server.js';

const t0 = '2026-01-01T00:00:00.123456Z';
const t1 = '2026-01-01T01:00:00.123456Z';
const t2 = '2026-01-01T02:00:00.123456Z';

describe('the documents', () => {
  const schema = buildSchema(readFileSync('schema.graphql', 'utf8'));
  test.each(Object.entries(documents))('%s fits the schema', (_name, document) => {
    expect(validate(schema, parse(document))).toEqual([]);
  });
});

describe('against a real server', () => {
  const api = useStateApi(() => createTestDatabase());
  const real = () => clientOf(api.server.url);

  test('checks, advances, creates and finds, exact to the microsecond', async () => {
    const one = unit();
    expect(await real().check(one)).toMatchObject({ outcome: 'UNKNOWN', scopeState: null });
    expect(await real().scopeState(one)).toBeNull();
    const advance = { unit: one, lastProcessedTimestamp: t0, expected: null };
    expect(await real().advance(advance)).toMatchObject({ outcome: 'CREATED', backfilled: false });
    expect(await real().advance({ ...advance, lastProcessedTimestamp: t1 })).toMatchObject({
      outcome: 'STALE',
    });
    expect(await real().advance({ unit: one, lastProcessedTimestamp: t1 })).toMatchObject({
      outcome: 'ADVANCED',
    });
    const { scopeState, nextPeriod } = await real().check(one);
    expect(scopeState).toMatchObject({ ...one, lastProcessedTimestamp: t1, version: 2 });
    expect(nextPeriod?.start).toBe(t2);
    expect(await real().scopeState(one)).toMatchObject({
      id: scopeState!.id,
      duePeriods: expect.any(Number),
    });
    const creation = { unit: one, lastProcessedTimestamp: t0 };
    expect(await real().create(creation)).toMatchObject({ outcome: 'ALREADY_EXISTS', answerLost: false });
  });

  test('sends more than 500 in several batches, and answers in the order given', async () => {
    const units = Array.from({ length: 1_201 }, () => unit());
    const advances = units.map((one, place) => ({
      unit: one,
      lastProcessedTimestamp: place % 2 === 0 ? t0 : t1,
      expected: null,
    }));
    const advanced = await real().advanceMany(advances);
    expect(advanced.map(({ scopeState }) => scopeState?.scopeId)).toEqual(
      units.map(({ scopeId }) => scopeId),
    );
    const checked = await real().checkMany(units);
    expect(checked.map(({ scopeState }) => scopeState?.lastProcessedTimestamp)).toEqual(
      advances.map(({ lastProcessedTimestamp }) => lastProcessedTimestamp),
    );
    expect(await real().checkMany([])).toEqual([]);
  });

  test('advances one unit step by step in one call', async () => {
    const one = unit();
    const results = await real().advanceMany([
      { unit: one, lastProcessedTimestamp: t0, expected: null },
      { unit: one, lastProcessedTimestamp: t1, expected: t0 },
      { unit: one, lastProcessedTimestamp: t2, expected: t1 },
    ]);
    expect(results.map(({ outcome }) => outcome)).toEqual(['CREATED', 'ADVANCED', 'ADVANCED']);
  });

  test('lists states page by page', async () => {
    const prefix = unit().scopeId;
    const wanted = Array.from({ length: 7 }, (_, place) => `${prefix}-${place}`);
    await real().advanceMany(
      wanted.map((scopeId) => ({ unit: unit({ scopeId }), lastProcessedTimestamp: t0 })),
    );
    const seen: string[] = [];
    for await (const state of real().scopeStates({ scopeIdPrefix: prefix }, { pageSize: 3 }))
      seen.push(state.scopeId);
    expect(seen).toEqual(wanted);
  });

  test('says which field is at fault, and under which id the log has it', async () => {
    const error = await errorOf(real().check(unit({ collector: '' })));
    expect(error).toMatchObject({
      code: 'BAD_USER_INPUT',
      mayBeDone: false,
      field: 'input.units[0].collector',
    });
    expect(error.message).toContain(error.requestId);
    const one = unit();
    const advances = [one, one, unit({ collector: '' })].map((each) => ({
      unit: each,
      lastProcessedTimestamp: t0,
    }));
    const second = await errorOf(real().advanceMany(advances));
    expect(second).toMatchObject({ field: 'input.advances[2].unit.collector' });
    expect(second.message).toContain(second.field);
    const wrong = await errorOf(real().request('query { nothing }'));
    expect(wrong.code).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  test('takes any document', async () => {
    const data = await real().request<{ scopeStates: { totalCount: number } }>(
      'query ($filter: ScopeStateFilter) { scopeStates(filter: $filter) { totalCount } }',
      { variables: { filter: { scopeIds: [] } }, repeatable: true },
    );
    expect(data.scopeStates.totalCount).toBe(0);
  });
});

const advancedAs = (outcome: string) => answer({ data: { advanceScopeStates: { results: [{ outcome }] } } });
const createdAs = (outcome: string) => answer({ data: { createScopeState: { outcome } } });

describe('a request that came to nothing', () => {
  const nothingDone: [string, Reply][] = [
    ['UNAVAILABLE', refuse('UNAVAILABLE')],
    ['UNAVAILABLE with status 503', refuse('UNAVAILABLE', { status: 503, retryAfter: '0' })],
    ['RATE_LIMITED', refuse('RATE_LIMITED', { status: 429 })],
    ['status 429 of a gateway', answer('slow down', 429)],
  ];
  test.each(nothingDone)('is sent again after %s, whatever it is', async (_name, reply) => {
    const server = await fakeServer(reply, reply, answer({ data: { done: true } }));
    expect(await clientOf(server.url).request('mutation { done }')).toEqual({ done: true });
    expect(server.asked).toHaveLength(3);
  });

  const lost: [string, Reply][] = [
    ['OUTCOME_UNKNOWN', refuse('OUTCOME_UNKNOWN')],
    ['a connection that broke', breakOff],
    ['an answer that broke off', breakInside],
    ['a timeout', keepSilent],
    ['status 503 of a gateway', answer('bad gateway', 503)],
    ['status 502 of a gateway', answer('bad gateway', 502)],
  ];
  describe.each(lost)('after %s', (_name, reply) => {
    const short = { timeoutMillis: 200 };

    test('is sent again if it is a check or an advance', async () => {
      const checks = await fakeServer(reply, found);
      expect(await clientOf(checks.url, short).check(unit())).toEqual({ outcome: 'FOUND' });
      const advances = await fakeServer(reply, advancedAs('UNCHANGED'));
      const advance = { unit: unit(), lastProcessedTimestamp: t0, expected: null };
      expect(await clientOf(advances.url, short).advance(advance)).toEqual({ outcome: 'UNCHANGED' });
      expect(advances.asked[1]!.body).toEqual(advances.asked[0]!.body);
    });

    test('is sent again if it is a creation, which says that its state may be its own', async () => {
      const server = await fakeServer(reply, createdAs('ALREADY_EXISTS'));
      const creation = { unit: unit(), lastProcessedTimestamp: t0 };
      expect(await clientOf(server.url, short).create(creation)).toEqual({
        outcome: 'ALREADY_EXISTS',
        answerLost: true,
      });
    });

    test('is not sent again if nobody said that it may be done twice', async () => {
      const server = await fakeServer(reply, answer({ data: { done: true } }));
      const error = await errorOf(clientOf(server.url, short).request('mutation { done }'));
      expect(error.mayBeDone).toBe(true);
      expect(server.asked).toHaveLength(1);
      expect(
        await clientOf(server.url, short).request('mutation { done }', { repeatable: true }),
      ).toBeDefined();
    });
  });

  test.each([
    'BAD_USER_INPUT',
    'GRAPHQL_VALIDATION_FAILED',
    'UNAUTHENTICATED',
    'FORBIDDEN',
    'INTERNAL_SERVER_ERROR',
  ])('is not sent again after %s', async (code) => {
    const server = await fakeServer(refuse(code, { field: 'input' }), found);
    const error = await errorOf(clientOf(server.url).check(unit()));
    expect(error).toMatchObject({ code, field: 'input', requestId: 'theirs', status: 200 });
    expect(server.asked).toHaveLength(1);
  });

  test.each([
    ['a page of something else', 200, '<html>'],
    ['a redirect', 302, ''],
    ['no such page', 404, 'nothing here'],
  ])('is not sent again after %s', async (_name, status, text) => {
    const server = await fakeServer((response) => response.writeHead(status, { location: '/' }).end(text));
    expect(await errorOf(clientOf(server.url).check(unit()))).toMatchObject({ code: 'BAD_ANSWER', status });
    expect(server.asked).toHaveLength(1);
  });
});

describe('a request', () => {
  test('carries the token as it is now, and an id of its own for each attempt', async () => {
    const tokens = ['old', 'new'];
    const server = await fakeServer(refuse('UNAVAILABLE'), found);
    await clientOf(server.url, { token: () => tokens.shift()! }).check(unit());
    expect(server.asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
    const ids = server.asked.map(({ headers }) => headers['x-request-id']);
    expect(ids[0]).toMatch(/^[\w-]{36}\.1$/);
    expect(ids[1]).toBe(ids[0]!.toString().replace(/1$/, '2'));
  });

  test('tells an absent `expected` from null', async () => {
    const server = await fakeServer(advancedAs('CREATED'));
    const advance = { unit: unit(), lastProcessedTimestamp: t0 };
    await clientOf(server.url).advance({ ...advance, expected: undefined });
    await clientOf(server.url).advance({ ...advance, expected: null });
    const sent = server.asked.map(({ body }) => body.variables.input.advances[0]);
    expect(sent).toEqual([advance, { ...advance, expected: null }]);
  });
});
