import { longestBatch } from '../client/batches.js';

/** A collector looks at each of its units once a minute of the demo's cloud … */
const roundMillis = 60_000;
/** … but not more often than this, and with no less than this between two batches: the demo is to stay light. */
const shortestRoundMillis = 2_000;
const shortestPauseMillis = 500;

/** How often collectors come by, and how much they do. */
export interface Pace {
  readonly roundMillis: number;
  /** how likely a unit is done in one round whose state is to move by so many periods in each period */
  chanceOf(periodsPerPeriod: number): number;
}

/** @param speed how many times as short as in a real cloud everything takes */
export function paceOf(speed: number, periodMillis: number): Pace {
  const round = Math.max(shortestRoundMillis, roundMillis / speed);
  return {
    roundMillis: round,
    chanceOf: (periodsPerPeriod) => Math.min(1, (periodsPerPeriod * round) / periodMillis),
  };
}

/** How one round over so many units is cut into batches, and the wait after each. */
export function slicesOf(units: number, pace: Pace): { size: number; pauseMillis: number } {
  const most = Math.floor(pace.roundMillis / shortestPauseMillis);
  const size = Math.min(longestBatch, Math.max(1, Math.ceil(units / most)));
  return { size, pauseMillis: Math.max(shortestPauseMillis, pace.roundMillis / Math.ceil(units / size)) };
}

/**
 * How many periods a collector rates at once where so many are due: a twentieth of a backlog, so that one of days is gone
 * after some fifty rounds.
 */
export function biteOf(duePeriods: number): number {
  return Math.max(1, Math.ceil(duePeriods / 20));
}
