import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  earliestInstant,
  formatInstant,
  instantFromMicros,
  latestInstant,
  microsOf,
  parseInstant,
} from '../../src/time/instant.js';

const anyMicros = fc.bigInt({ min: microsOf(earliestInstant), max: microsOf(latestInstant) });

describe('parseInstant takes', () => {
  test.each([
    ['a whole second', '2026-01-31T09:00:00Z', '2026-01-31T09:00:00Z'],
    ['the earliest', '1970-01-01T00:00:00Z', '1970-01-01T00:00:00Z'],
    ['the latest', '9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999999Z'],
    ['microseconds', '2026-01-31T09:00:00.000001Z', '2026-01-31T09:00:00.000001Z'],
    ['one fraction digit', '2026-01-31T09:00:00.5Z', '2026-01-31T09:00:00.5Z'],
    ['a fraction of zero', '2026-01-31T09:00:00.000000Z', '2026-01-31T09:00:00Z'],
    ['an offset to the east', '2026-01-31T10:30:00+01:30', '2026-01-31T09:00:00Z'],
    ['an offset to the west', '2026-01-31T05:30:00.25-03:30', '2026-01-31T09:00:00.25Z'],
    ['the unknown offset of RFC 3339', '2026-01-31T09:00:00-00:00', '2026-01-31T09:00:00Z'],
    ['the largest offset', '2026-01-31T23:59:00+23:59', '2026-01-31T00:00:00Z'],
    ['lower-case t and z', '2026-01-31t09:00:00z', '2026-01-31T09:00:00Z'],
    ['a leap day', '2028-02-29T00:00:00Z', '2028-02-29T00:00:00Z'],
    ['a local 1969 that is 1970 in UTC', '1969-12-31T23:30:00-01:00', '1970-01-01T00:30:00Z'],
  ])('%s', (_what, text, inUtc) => {
    expect(formatInstant(parseInstant(text))).toBe(inUtc);
  });
});

describe('parseInstant refuses', () => {
  test.each([
    ['nothing', ''],
    ['now', 'now'],
    ['infinity', 'infinity'],
    ['-infinity', '-infinity'],
    ['a missing zone', '2026-01-31T09:00:00'],
    ['a date alone', '2026-01-31'],
    ['a missing second', '2026-01-31T09:00Z'],
    ['a leap second', '2016-12-31T23:59:60Z'],
    ['24:00', '2026-01-31T24:00:00Z'],
    ['a minute of 60', '2026-01-31T09:60:00Z'],
    ['seven fraction digits', '2026-01-31T09:00:00.0000000Z'],
    ['a fraction without digits', '2026-01-31T09:00:00.Z'],
    ['a fraction after a comma', '2026-01-31T09:00:00,5Z'],
    ['the year 10000', '10000-01-01T00:00:00Z'],
    ['an expanded year', '+002026-01-31T09:00:00Z'],
    ['a negative year', '-000001-01-31T09:00:00Z'],
    ['1969', '1969-12-31T23:59:59.999999Z'],
    ['a local 1970 that is 1969 in UTC', '1970-01-01T00:30:00+01:00'],
    ['a local 9999 that is 10000 in UTC', '9999-12-31T23:30:00-01:00'],
    ['30 February', '2026-02-30T00:00:00Z'],
    ['29 February of a common year', '2026-02-29T00:00:00Z'],
    ['31 April', '2026-04-31T00:00:00Z'],
    ['month 13', '2026-13-01T00:00:00Z'],
    ['month 00', '2026-00-01T00:00:00Z'],
    ['day 00', '2026-01-00T00:00:00Z'],
    ['a zone name in brackets', '2026-01-31T09:00:00+01:00[Europe/Berlin]'],
    ['a calendar in brackets', '2026-01-31T09:00:00Z[u-ca=iso8601]'],
    ['the basic format', '20260131T090000Z'],
    ['a week date', '2026-W05-6T09:00:00Z'],
    ['an ordinal date', '2026-031T09:00:00Z'],
    ['a space for the T', '2026-01-31 09:00:00Z'],
    ['an offset of hours alone', '2026-01-31T09:00:00+01'],
    ['an offset without a colon', '2026-01-31T09:00:00+0100'],
    ['an offset with seconds', '2026-01-31T09:00:00+01:00:00'],
    ['an offset of 24 hours', '2026-01-31T09:00:00+24:00'],
    ['an offset of 60 minutes', '2026-01-31T09:00:00+01:60'],
    ['a typographic minus', '2026-01-31T09:00:00\u221201:00'],
    ['a blank in front', ' 2026-01-31T09:00:00Z'],
    ['a line break behind', '2026-01-31T09:00:00Z\n'],
    ['a NUL behind', '2026-01-31T09:00:00Z\0'],
    ['digits of another script', '２０２６-01-31T09:00:00Z'],
    ['epoch seconds', '1769850000'],
  ])('%s', (_what, text) => {
    expect(() => parseInstant(text)).toThrow(RangeError);
    expect(() => parseInstant(text)).toThrow(`found ${JSON.stringify(text)}`);
    expect(() => parseInstant(text)).toThrow(/; allowed: an RFC 3339 date and time with a zone/);
  });

  test('a megabyte of text with a short message', () => {
    expect(() => parseInstant('1'.repeat(1_000_000))).toThrow(/^.{1,400}$/);
  });
});

describe('formatInstant', () => {
  test('cuts what is below a microsecond', () => {
    expect(formatInstant(Temporal.Instant.from('2026-01-31T09:00:00.123456789Z'))).toBe(
      '2026-01-31T09:00:00.123456Z',
    );
    expect(formatInstant(Temporal.Instant.from('2026-01-31T09:00:00.000000999Z'))).toBe(
      '2026-01-31T09:00:00Z',
    );
  });

  test('writes a row that is older than 1970', () => {
    expect(formatInstant(Temporal.Instant.from('1969-12-31T23:59:59.9999995Z'))).toBe(
      '1969-12-31T23:59:59.999999Z',
    );
  });

  test('writes the latest instant and refuses the next microsecond', () => {
    expect(formatInstant(latestInstant)).toBe('9999-12-31T23:59:59.999999Z');
    expect(() => formatInstant(instantFromMicros(microsOf(latestInstant) + 1n))).toThrow(RangeError);
  });

  test('refuses years before 0000, which RFC 3339 cannot write', () => {
    expect(() => formatInstant(Temporal.Instant.from('-000001-12-31T23:59:59Z'))).toThrow(RangeError);
  });
});

test('what is written is what Temporal would write, from the year 0000 on', () => {
  const year0 = microsOf(Temporal.Instant.from('0000-01-01T00:00:00Z'));
  const micros = fc.bigInt({ min: year0, max: microsOf(latestInstant) });
  const ofAnyPrecision = fc
    .tuple(micros, fc.constantFrom(1n, 1_000n, 1_000_000n, 86_400_000_000n))
    .map(([at, unit]) => instantFromMicros(year0 + ((at - year0) / unit) * unit));
  fc.assert(fc.property(ofAnyPrecision, (instant) => formatInstant(instant) === instant.toString()));
});

describe('every microsecond survives', () => {
  test('microseconds to instant and back', () => {
    fc.assert(fc.property(anyMicros, (micros) => microsOf(instantFromMicros(micros)) === micros));
  });

  test('text and back', () => {
    fc.assert(
      fc.property(anyMicros, (micros) => {
        const text = formatInstant(instantFromMicros(micros));
        expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,5}[1-9])?Z$/);
        expect(microsOf(parseInstant(text))).toBe(micros);
      }),
    );
  });

  test('text in any zone and back', () => {
    const day = 86_400_000_000n;
    const awayFromTheEnds = fc.bigInt({
      min: microsOf(earliestInstant) + day,
      max: microsOf(latestInstant) - day,
    });
    fc.assert(
      fc.property(awayFromTheEnds, fc.integer({ min: -1439, max: 1439 }), (micros, offsetMinutes) => {
        const sign = offsetMinutes < 0 ? '-' : '+';
        const size = Math.abs(offsetMinutes);
        const twoDigits = (n: number) => String(n).padStart(2, '0');
        const zone = `${sign}${twoDigits(Math.floor(size / 60))}:${twoDigits(size % 60)}`;
        const local = formatInstant(instantFromMicros(micros + BigInt(offsetMinutes) * 60_000_000n));
        expect(microsOf(parseInstant(local.replace('Z', zone)))).toBe(micros);
      }),
    );
  });
});

describe('the start of a period', () => {
  test('is made and written once for each text, however many there are', () => {
    const texts = Array.from({ length: 12_000 }, (_, n) =>
      formatInstant(earliestInstant.add({ minutes: n })),
    );
    for (const text of [...texts, ...texts]) expect(formatInstant(parseInstant(text))).toBe(text);
    expect(parseInstant(texts[0]!)).toBe(parseInstant(texts[0]!));
    expect(parseInstant('1970-01-01T01:00:00+01:00')).toEqual(earliestInstant);
  });

  test.each(['2026-01-31T09:00:01Z', '2026-01-31T09:00:00.000001Z', '2026-01-31T09:00:00.001Z'])(
    'is not %s: that is not remembered',
    (text) => {
      expect(parseInstant(text)).not.toBe(parseInstant(text));
      expect(formatInstant(parseInstant(text))).toBe(text);
    },
  );
});
