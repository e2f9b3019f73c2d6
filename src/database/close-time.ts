import { setTimeout as delay } from 'node:timers/promises';
import { longestCloseMillis } from './deadlines.js';

/** Waits for something to end, for a second at most: what is stuck must not keep a stop from coming to its end. */
export async function withinCloseTime(ending: Promise<unknown> | undefined): Promise<void> {
  await Promise.race([ending, delay(longestCloseMillis, undefined, { ref: false })]);
}
