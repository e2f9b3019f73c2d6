import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  durationFromMicros,
  formatDuration,
  microsOfDuration,
  parseDuration,
} from '../../src/time/duration.js';

const second = 1_000_000n;
const longest = 9_999_999n * 86_400n * second;

describe('parseDuration takes', () => {
  test.each([
    ['an hour', 'PT1H', 3600n * second, 'PT1H'],
    ['five minutes', 'PT5M', 300n * second, 'PT5M'],
    ['a day', 'P1D', 86_400n * second, 'P1D'],
    ['two weeks', 'P2W', 1_209_600n * second, 'P14D'],
    ['all parts', 'P1W2DT3H4M5.000006S', 788_645_000_006n, 'P9DT3H4M5.000006S'],
    ['27 hours, balanced', 'PT27H', 97_200n * second, 'P1DT3H'],
    ['90 seconds, balanced', 'PT90S', 90n * second, 'PT1M30S'],
    ['a microsecond', 'PT0.000001S', 1n, 'PT0.000001S'],
    ['half a second', 'PT0.5S', 500_000n, 'PT0.5S'],
    ['nothing at all', 'PT0S', 0n, 'PT0S'],
    ['no days', 'P0D', 0n, 'PT0S'],
    ['leading zeros', 'PT0001H', 3600n * second, 'PT1H'],
    ['the longest', 'P9999999D', longest, 'P9999999D'],
    ['the longest in seconds', 'PT863999913600S', longest, 'P9999999D'],
  ])('%s', (_what, text, micros, balanced) => {
    expect(microsOfDuration(parseDuration(text))).toBe(micros);
    expect(formatDuration(parseDuration(text))).toBe(balanced);
  });
});

describe('parseDuration refuses', () => {
  test.each([
    ['nothing', ''],
    ['P alone', 'P'],
    ['PT alone', 'PT'],
    ['a T without a part behind', 'P1DT'],
    ['years', 'P1Y'],
    ['months', 'P1M'],
    ['years among other parts', 'P1Y2DT3H'],
    ['a minus', '-PT1H'],
    ['a plus', '+PT1H'],
    ['a minus within', 'PT-1H'],
    ['seven fraction digits', 'PT1.0000000S'],
    ['a fraction of hours', 'PT1.5H'],
    ['a fraction of minutes', 'PT1.5M'],
    ['a fraction of days', 'P0.5D'],
    ['a fraction after a comma', 'PT1,5S'],
    ['a fraction without digits', 'PT1.S'],
    ['a fraction without a whole', 'PT.5S'],
    ['hours without a T', 'P1H'],
    ['days behind the T', 'PT1D'],
    ['parts out of order', 'PT1S1M'],
    ['one part twice', 'PT1H1H'],
    ['lower case', 'pt1h'],
    ['a number', '3600'],
    ['words', '1 hour'],
    ['a blank in front', ' PT1H'],
    ['a line break behind', 'PT1H\n'],
    ['a microsecond more than the longest', 'P9999999DT0.000001S'],
    ['ten million days', 'P10000000D'],
    ['sixteen digits', 'PT0000000000000001S'],
  ])('%s', (_what, text) => {
    expect(() => parseDuration(text)).toThrow(RangeError);
    expect(() => parseDuration(text)).toThrow(`found ${JSON.stringify(text)}`);
    expect(() => parseDuration(text)).toThrow(/; allowed: an ISO 8601 duration/);
  });

  test('a megabyte of digits with a short message', () => {
    expect(() => parseDuration(`P${'9'.repeat(1_000_000)}D`)).toThrow(/^.{1,400}$/);
  });
});

test('a duration of unbalanced parts is written balanced', () => {
  expect(
    formatDuration(Temporal.Duration.from({ weeks: 1, hours: 25, minutes: 61, milliseconds: 1500 })),
  ).toBe('P8DT2H1M1.5S');
});

test('years and months have no length', () => {
  expect(() => microsOfDuration(Temporal.Duration.from({ months: 1 }))).toThrow(RangeError);
  expect(() => formatDuration(Temporal.Duration.from({ years: 1 }))).toThrow(RangeError);
});

test('a negative duration keeps its length but cannot be written', () => {
  expect(microsOfDuration(durationFromMicros(-90_000_001n))).toBe(-90_000_001n);
  expect(() => formatDuration(durationFromMicros(-1n))).toThrow(RangeError);
});

test('every microsecond survives, as text and as a duration', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: longest }), (micros) => {
      const duration = durationFromMicros(micros);
      expect(microsOfDuration(duration)).toBe(micros);
      const text = formatDuration(duration);
      expect(text).toMatch(
        /^P(?=.)(?:[1-9]\d*D)?(?:T(?=.)(?:(?:1?\d|2[0-3])H)?(?:[1-5]?\dM)?(?:[1-5]?\d(?:\.\d{0,5}[1-9])?S)?)?$/,
      );
      expect(microsOfDuration(parseDuration(text))).toBe(micros);
    }),
  );
});
