import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  coveredUntil,
  duePeriods,
  firstPeriod,
  lag,
  nextPeriod,
  type Schedule,
} from '../../src/scope-state/schedule.rules.js';
import { durationFromMicros } from '../../src/time/duration.js';
import { instantFromMicros } from '../../src/time/instant.js';

const hourly: Schedule = { period: Temporal.Duration.from('PT1H'), waitPeriods: 2 };
const at = (text: string) => Temporal.Instant.from(text);

describe('with hourly periods and two wait periods', () => {
  const state = at('2026-01-01T00:00:00Z');

  test.each([
    ['2026-01-01T00:00:00Z', 0],
    ['2026-01-01T03:00:00Z', 0],
    ['2026-01-01T03:00:00.000001Z', 1],
    ['2026-01-01T04:00:00Z', 1],
    ['2026-01-01T04:00:00.000001Z', 2],
    ['2025-12-31T00:00:00Z', 0],
  ])('at %s, %i periods are due', (now, due) => {
    expect(duePeriods(state, at(now), hourly)).toBe(due);
    const next = nextPeriod({ lastProcessedTimestamp: state, active: true }, at(now), hourly);
    expect(next?.start.toString()).toBe(due > 0 ? '2026-01-01T01:00:00Z' : undefined);
    expect(next?.end.toString()).toBe(due > 0 ? '2026-01-01T02:00:00Z' : undefined);
  });

  test('an inactive scope has nothing due', () => {
    const now = at('2026-06-01T00:00:00Z');
    expect(nextPeriod({ lastProcessedTimestamp: state, active: false }, now, hourly)).toBeNull();
  });

  test('lag counts from the end of what is covered, and never below zero', () => {
    expect(lag(state, at('2026-01-01T01:00:00.000001Z'), hourly).toString()).toBe('PT0.000001S');
    expect(lag(state, at('2026-01-01T00:59:00Z'), hourly).toString()).toBe('PT0S');
  });

  test('an unknown unit starts with the current month, once its first period is old enough', () => {
    expect(firstPeriod(at('2026-03-01T02:00:00Z'), hourly)).toBeNull();
    const first = firstPeriod(at('2026-03-01T02:00:00.000001Z'), hourly);
    expect(first?.start.toString()).toBe('2026-03-01T00:00:00Z');
    expect(first?.end.toString()).toBe('2026-03-01T01:00:00Z');
    expect(firstPeriod(at('2026-03-31T23:59:59.999999Z'), hourly)?.start).toEqual(first?.start);
  });
});

test('what is covered ends at the last instant that can be written', () => {
  expect(coveredUntil(at('9999-12-31T23:30:00Z'), hourly).toString()).toBe('9999-12-31T23:59:59.999999Z');
});

test('as many periods are due as can be rated one after another', () => {
  const minute = 60_000_000n;
  const state = fc.bigInt(0n, 253_402_300_799_999_999n / 2n);
  const period = fc.bigInt(minute, 31n * 24n * 60n * minute);
  const ahead = fc.bigInt(0n, 40n);
  const rest = fc.bigInt(-2n, 2n);
  fc.assert(
    fc.property(
      state,
      period,
      fc.nat(5),
      ahead,
      rest,
      (stateMicros, periodMicros, waitPeriods, periods, micros) => {
        const schedule = { period: durationFromMicros(periodMicros), waitPeriods };
        const now = instantFromMicros(stateMicros + periods * periodMicros + micros);
        // CloudKitty's rule, applied period by period: due while t + p + w·p lies before now.
        let rated = stateMicros;
        let due = 0;
        while (
          rated + periodMicros * BigInt(1 + waitPeriods) <
          stateMicros + periods * periodMicros + micros
        ) {
          rated += periodMicros;
          due++;
        }
        expect(duePeriods(instantFromMicros(stateMicros), now, schedule)).toBe(due);
      },
    ),
  );
});
