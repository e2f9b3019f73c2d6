import { quoted } from '../fault.js';

/**
 * RFC 3339's `date-time`, zone required, with at most six fraction digits. Checked before `Temporal` sees the text, which
 * would also take `:60`, `[Europe/Berlin]`, `20260101T000000Z` and nanoseconds. Whether the day exists is left to `Temporal`.
 */
const rfc3339 =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** What an instant may look like, for descriptions and messages. */
export const instantRule =
  'an RFC 3339 date and time with a zone (Z or ±hh:mm), seconds 00 to 59 with at most six fraction digits, ' +
  'from 1970-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z, for example 2026-01-31T09:00:00Z';

export const earliestInstant = Temporal.Instant.from('1970-01-01T00:00:00Z');
/** The last microsecond that four year digits can name: what later results of arithmetic are clamped to. */
export const latestInstant = Temporal.Instant.from('9999-12-31T23:59:59.999999Z');

/** Year 0000 is the first that RFC 3339 can write: a foreign row may be older than {@link earliestInstant}. */
const earliestWritableMillis = Temporal.Instant.from('0000-01-01T00:00:00Z').epochMilliseconds;
const earliestMillis = earliestInstant.epochMilliseconds;
const latestMillis = latestInstant.epochMilliseconds;
const dayMillis = 86_400_000;

const written = new WeakMap<Temporal.Instant, string>();

/**
 * Instants by what they were made of, for those that come again and again: states are mostly at the starts of a few
 * periods, which are made, and written, once. Others than whole minutes are not remembered: they would push these out.
 */
export class PeriodStarts<Key extends string | number> {
  private readonly known = new Map<string | number, Temporal.Instant>();

  of(key: Key, make: (key: Key) => Temporal.Instant): Temporal.Instant {
    const known = this.known.get(key);
    if (known) return known;
    const instant = make(key);
    if (
      instant.epochMilliseconds % minuteMillis === 0 &&
      microsOfMillisecond(instant) === 0 &&
      isWritable(instant)
    ) {
      if (this.known.size === mostStarts) this.known.clear();
      this.known.set(typeof key === 'string' ? copyOf(key) : key, instant);
      written.set(instant, write(instant));
    }
    return instant;
  }
}

/** A part of a text holds all of it: a date in a document would hold the document. What became an instant is ASCII. */
function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

const minuteMillis = 60_000;
const mostStarts = 10_000;

/** Reads an instant (DESIGN.md 2.9), exact to the microsecond. Throws a `RangeError`: what was found, what is allowed. */
export function parseInstant(text: string): Temporal.Instant {
  return parsed.of(text, parse);
}

const parsed = new PeriodStarts<string>();

function parse(text: string): Temporal.Instant {
  if (!rfc3339.test(text)) throw refusal(text);
  const instant = instantOf(text);
  if (!instant) throw refusal(text, ', a day that no calendar has');
  // Whole milliseconds tell: the earliest instant is the first microsecond of its own, the latest one the last.
  const millis = instant.epochMilliseconds;
  if (millis < earliestMillis || millis > latestMillis) throw refusal(text, ', which is out of range');
  return instant;
}

/**
 * Writes an instant in UTC with `Z`; a fraction, of up to six digits, only if it is not zero; what is below a microsecond is cut.
 * Throws a `RangeError` beyond {@link latestInstant}: callers clamp.
 */
export function formatInstant(instant: Temporal.Instant): string {
  return written.get(instant) ?? write(instant);
}

function isWritable({ epochMilliseconds: millis }: Temporal.Instant): boolean {
  return millis >= earliestWritableMillis && millis <= latestMillis;
}

function write(instant: Temporal.Instant): string {
  const millis = instant.epochMilliseconds;
  if (!isWritable(instant)) {
    throw new RangeError(`found the instant ${instant.toString()}; allowed: years 0000 to 9999`);
  }
  const day = Math.floor(millis / dayMillis);
  const ofDay = millis - day * dayMillis;
  const hour = twoDigits(ofDay / 3_600_000);
  const minute = twoDigits((ofDay / 60_000) % 60);
  const second = twoDigits((ofDay / 1_000) % 60);
  const micros = (ofDay % 1_000) * 1_000 + microsOfMillisecond(instant);
  return `${dateOf(day)}T${hour}:${minute}:${second}${fractionOf(micros)}Z`;
}

function microsOfMillisecond(instant: Temporal.Instant): number {
  const nanos = Number(instant.epochNanoseconds % 1_000_000n);
  return Math.floor((nanos < 0 ? nanos + 1_000_000 : nanos) / 1_000);
}

const dates = new Map<number, string>();
const mostDates = 1_000;

/** To find a date out costs ten times as much as the time of day, and what is written is mostly of a few days. */
function dateOf(day: number): string {
  const known = dates.get(day);
  if (known !== undefined) return known;
  if (dates.size === mostDates) dates.clear();
  const date = new Date(day * dayMillis).toISOString().slice(0, 10);
  dates.set(day, date);
  return date;
}

function twoDigits(number: number): string {
  return number < 10 ? `0${Math.floor(number)}` : `${Math.floor(number)}`;
}

function fractionOf(micros: number): string {
  return micros === 0 ? '' : `.${String(micros).padStart(6, '0').replace(/0+$/, '')}`;
}

/** Microseconds since 1970-01-01T00:00:00Z; what is below a microsecond is cut towards the past. */
export function microsOf(instant: Temporal.Instant): bigint {
  const nanos = instant.epochNanoseconds;
  const micros = nanos / 1000n;
  return nanos % 1000n < 0n ? micros - 1n : micros;
}

/** The instant that many microseconds after 1970-01-01T00:00:00Z. */
export function instantFromMicros(micros: bigint): Temporal.Instant {
  return Temporal.Instant.fromEpochNanoseconds(micros * 1000n);
}

/** The same, of a number that is exact: at a third of the cost where it ends in whole milliseconds. */
export function instantFromSafeMicros(micros: number): Temporal.Instant {
  const millis = Math.floor(micros / 1_000);
  return millis * 1_000 === micros
    ? Temporal.Instant.fromEpochMilliseconds(millis)
    : instantFromMicros(BigInt(micros));
}

function instantOf(text: string): Temporal.Instant | undefined {
  try {
    return Temporal.Instant.from(text);
  } catch {
    return undefined;
  }
}

function refusal(text: string, remark = ''): RangeError {
  return new RangeError(`found ${quoted(text)}${remark}; allowed: ${instantRule}`);
}
