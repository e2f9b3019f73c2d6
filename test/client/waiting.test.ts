import { describe, expect, test } from '@jest/globals';
import type { ScopestateError } from '../../src/client/client.js';
import { unit } from '../support/units.js';
import { atOnce, clientOf, errorOf, found } from './client-words.js';
import { answer, fakeServer, refuse } from './fake-server.js';

describe('waiting', () => {
  test('ends at the bound, with the last error', async () => {
    const server = await fakeServer(refuse('OUTCOME_UNKNOWN'), refuse('UNAVAILABLE'));
    const retry = { firstDelayMillis: 10, longestDelayMillis: 40, withinMillis: 300 };
    const error = await errorOf(clientOf(server.url, { retry }).check(unit()));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', mayBeDone: true });
    expect(server.asked.length).toBeGreaterThan(3);
    expect(server.asked.length).toBeLessThan(30);
  });

  test('is told of before each attempt but the first', async () => {
    const server = await fakeServer(
      refuse('UNAVAILABLE'),
      refuse('OUTCOME_UNKNOWN'),
      answer({ data: { checkScopeStates: { results: [{ outcome: 'UNKNOWN' }] } } }),
    );
    const told: [string, boolean, boolean][] = [];
    const onRetry = ({ code, mayBeDone }: ScopestateError, delayMillis: number) =>
      void told.push([code, mayBeDone, delayMillis <= 1]);
    await clientOf(server.url, { retry: { ...atOnce, onRetry } }).check(unit());
    expect(told).toEqual([
      ['UNAVAILABLE', false, true],
      ['OUTCOME_UNKNOWN', true, true],
    ]);
  });

  test('does not begin when Retry-After lies beyond the bound', async () => {
    const server = await fakeServer(refuse('RATE_LIMITED', { status: 429, retryAfter: '3600' }));
    expect(await errorOf(clientOf(server.url).check(unit()))).toMatchObject({
      code: 'RATE_LIMITED',
      status: 429,
    });
    expect(server.asked).toHaveLength(1);
  });

  test.each([
    ['seconds', () => '1'],
    ['a date', () => new Date(Date.now() + 2000).toUTCString()],
  ])('is as long as Retry-After says, in %s', async (_name, retryAfter) => {
    const begin = performance.now();
    const server = await fakeServer(refuse('UNAVAILABLE', { status: 503, retryAfter: retryAfter() }), found);
    await clientOf(server.url).check(unit());
    expect(performance.now() - begin).toBeGreaterThan(950);
  });

  test('does not happen without retries', async () => {
    const server = await fakeServer(refuse('UNAVAILABLE'));
    const error = await errorOf(clientOf(server.url, { retry: { withinMillis: 0 } }).check(unit()));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', mayBeDone: false });
    expect(server.asked).toHaveLength(1);
  });

  test('ends when the caller aborts it, and so does a request on its way', async () => {
    const reason = new Error('no more');
    const waiting = new AbortController();
    const server = await fakeServer((response, asked) => {
      refuse('UNAVAILABLE', { retryAfter: '30' })(response, asked);
      response.on('close', () => waiting.abort(reason));
    });
    await expect(clientOf(server.url).check(unit(), { signal: waiting.signal })).rejects.toBe(reason);
    const asking = new AbortController();
    const silent = await fakeServer(() => asking.abort(reason));
    await expect(clientOf(silent.url).check(unit(), { signal: asking.signal })).rejects.toBe(reason);
    expect(silent.asked).toHaveLength(1);
  });

  test('a server that is not there is a server that did nothing', async () => {
    const gone = await fakeServer(found);
    await gone.close();
    const retry = { ...atOnce, withinMillis: 20 };
    const error = await errorOf(clientOf(gone.url, { retry }).request('mutation { done }'));
    expect(error).toMatchObject({ code: 'NO_ANSWER', mayBeDone: false });
    expect(error.message).toMatch(/gave no answer: connect ECONNREFUSED 127\.0\.0\.1:\d+ \(request /);
  });

  test.each([
    [
      'a name with two addresses',
      new AggregateError([new Error('connect A'), new Error('connect B')]),
      'connect A, connect B',
    ],
    ['a port that fetch does not take', new Error('bad port'), 'bad port'],
  ])('what fetch failed of is said: %s', async (_name, cause, said) => {
    const error = await errorOf(
      clientOf('http://localhost:1/graphql', {
        retry: { withinMillis: 0 },
        fetch: () => Promise.reject(new TypeError('fetch failed', { cause })),
      }).check(unit()),
    );
    expect(error.message).toContain(`gave no answer: ${said} (request`);
  });
});
