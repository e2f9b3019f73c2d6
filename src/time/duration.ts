import { quoted } from '../fault.js';

/**
 * ISO 8601's duration without years and months, which have no fixed length. Fifteen digits are more than the longest
 * duration needs in any part, and keep the arithmetic on a hostile text short.
 */
const iso8601 =
  /^P(?=[\dT])(?:(?<weeks>\d{1,15})W)?(?:(?<days>\d{1,15})D)?(?:T(?=\d)(?:(?<hours>\d{1,15})H)?(?:(?<minutes>\d{1,15})M)?(?:(?<seconds>\d{1,15})(?:\.(?<fraction>\d{1,6}))?S)?)?$/;

const second = 1_000_000n;
const minute = 60n * second;
const hour = 60n * minute;
const day = 24n * hour;
const longest = 9_999_999n * day;

/** What a duration may look like, for descriptions and messages. */
export const durationRule =
  'an ISO 8601 duration of weeks, days (of 24 hours), hours, minutes and seconds (at most six fraction digits), ' +
  'no years or months, no sign, at most P9999999D, for example PT1H, PT5M or P1D';

/** Reads a duration, exact to the microsecond, balanced. Throws a `RangeError`: what was found, what is allowed. */
export function parseDuration(text: string): Temporal.Duration {
  const parts = iso8601.exec(text)?.groups;
  if (!parts) throw refusal(text);
  const micros =
    BigInt(parts['weeks'] ?? 0) * 7n * day +
    BigInt(parts['days'] ?? 0) * day +
    BigInt(parts['hours'] ?? 0) * hour +
    BigInt(parts['minutes'] ?? 0) * minute +
    BigInt(parts['seconds'] ?? 0) * second +
    BigInt((parts['fraction'] ?? '').padEnd(6, '0'));
  if (micros > longest) throw refusal(text, ', which is too long');
  return durationFromMicros(micros);
}

/** Writes a duration with days as its largest unit: `P2DT3H`, `PT0S`. Throws a `RangeError` for a negative one. */
export function formatDuration(duration: Temporal.Duration): string {
  if (duration.sign < 0) {
    throw new RangeError(`found the duration ${duration.toString()}; allowed: PT0S and longer`);
  }
  return durationFromMicros(microsOfDuration(duration)).toString();
}

/** Its length in microseconds, a day being 24 hours. Throws a `RangeError` for years and months: they have no length. */
export function microsOfDuration(duration: Temporal.Duration): bigint {
  if (duration.years !== 0 || duration.months !== 0) {
    throw new RangeError(`found the duration ${duration.toString()}; allowed: no years and no months`);
  }
  return (
    BigInt(duration.weeks) * 7n * day +
    BigInt(duration.days) * day +
    BigInt(duration.hours) * hour +
    BigInt(duration.minutes) * minute +
    BigInt(duration.seconds) * second +
    BigInt(duration.milliseconds) * 1000n +
    BigInt(duration.microseconds) +
    BigInt(duration.nanoseconds) / 1000n
  );
}

/** The duration of that many microseconds, balanced, with days as its largest unit. */
export function durationFromMicros(micros: bigint): Temporal.Duration {
  return Temporal.Duration.from({
    days: Number(micros / day),
    hours: Number((micros % day) / hour),
    minutes: Number((micros % hour) / minute),
    seconds: Number((micros % minute) / second),
    milliseconds: Number((micros % second) / 1000n),
    microseconds: Number(micros % 1000n),
  });
}

function refusal(text: string, remark = ''): RangeError {
  return new RangeError(`found ${quoted(text)}${remark}; allowed: ${durationRule}`);
}
