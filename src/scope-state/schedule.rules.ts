import { instantFromMicros, latestInstant, microsOf } from '../time/instant.js';
import { durationFromMicros, microsOfDuration } from '../time/duration.js';
import type { ScopeState } from './scope-state.rules.js';

/** How a server counts periods. */
export interface Schedule {
  /** the collection period's length */
  readonly period: Temporal.Duration;
  /** so many whole periods must have passed after a period's start before it is rated: late usage still comes in (CloudKitty's rule) */
  readonly waitPeriods: number;
}

/** A half-open interval [start, end). */
export interface Period {
  readonly start: Temporal.Instant;
  readonly end: Temporal.Instant;
}

/** Everything before it is rated: the state is the *start* of the last period that has been rated (CloudKitty). */
export function coveredUntil(state: Temporal.Instant, { period }: Schedule): Temporal.Instant {
  return later(state, microsOfDuration(period));
}

/** How long ago the covered time ended; never negative. */
export function lag(state: Temporal.Instant, now: Temporal.Instant, { period }: Schedule): Temporal.Duration {
  const behind = microsOf(now) - microsOf(state) - microsOfDuration(period);
  return durationFromMicros(behind > 0n ? behind : 0n);
}

/**
 * How many periods are due: max(0, ⌈(now − t)/p − w⌉ − 1), in whole microseconds. CloudKitty's rule: the period
 * [t+p, t+2p) is due when t + p + w·p lies before now, strictly.
 */
export function duePeriods(state: Temporal.Instant, now: Temporal.Instant, schedule: Schedule): number {
  const period = microsOfDuration(schedule.period);
  const waited = microsOf(now) - microsOf(state) - BigInt(schedule.waitPeriods) * period;
  if (waited <= period) return 0;
  const roundedUp = (waited + period - 1n) / period;
  return Number(roundedUp - 1n);
}

/** The period to rate next, or null when it is not due; an inactive scope has nothing due. */
export function nextPeriod(
  state: Pick<ScopeState, 'lastProcessedTimestamp' | 'active'>,
  now: Temporal.Instant,
  schedule: Schedule,
): Period | null {
  if (!state.active || duePeriods(state.lastProcessedTimestamp, now, schedule) === 0) return null;
  return periodFrom(coveredUntil(state.lastProcessedTimestamp, schedule), schedule);
}

/** Where a unit without a state starts: the first period of the current month (UTC), due by the same rule. */
export function firstPeriod(now: Temporal.Instant, schedule: Schedule): Period | null {
  const start = now.toZonedDateTimeISO('UTC').with({ day: 1 }).startOfDay().toInstant();
  const due =
    microsOf(start) + BigInt(schedule.waitPeriods) * microsOfDuration(schedule.period) < microsOf(now);
  return due ? periodFrom(start, schedule) : null;
}

function periodFrom(start: Temporal.Instant, { period }: Schedule): Period {
  return { start, end: later(start, microsOfDuration(period)) };
}

/** Ends at the last instant that RFC 3339 can write. */
function later(instant: Temporal.Instant, micros: bigint): Temporal.Instant {
  const sum = microsOf(instant) + micros;
  const latest = microsOf(latestInstant);
  return instantFromMicros(sum < latest ? sum : latest);
}
