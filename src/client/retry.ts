import { setTimeout } from 'node:timers/promises';
import type { Answer } from './exchange.js';
import { ScopestateError } from './scopestate-error.js';

/** How long, and how often, a request is sent again. */
export interface RetryOptions {
  /** no attempt begins later than this after the first one; 0: one attempt only. One minute unless told. */
  readonly withinMillis: number;
  /** the wait before the second attempt; it doubles from one to the next, and half of it is random. 200 unless told. */
  readonly firstDelayMillis: number;
  /** no wait is longer, but for a `Retry-After` of the server's. 10,000 unless told. */
  readonly longestDelayMillis: number;
  /** told before each wait: how the attempt failed, and how long it is to the next one */
  readonly onRetry?: ((error: ScopestateError, delayMillis: number) => void) | undefined;
}

export const retryDefaults: RetryOptions = {
  withinMillis: 60_000,
  firstDelayMillis: 200,
  longestDelayMillis: 10_000,
};

interface Policy {
  readonly retry: RetryOptions;
  /** whether it may be done twice */
  readonly repeatable: boolean;
  readonly signal: AbortSignal | undefined;
}

/** What was answered at last, and whether the answer to an earlier attempt was lost on the way. */
export interface Answered {
  readonly data: unknown;
  readonly answerLost: boolean;
}

/**
 * Sends until there is an answer to keep: after `wait` always again, after `lost` only what is `repeatable`. What would
 * have to wait beyond the bound fails at once.
 *
 * @throws ScopestateError as the last attempt failed
 */
export async function withRetries(
  send: (attempt: number) => Promise<Answer>,
  { retry, repeatable, signal }: Policy,
): Promise<Answered> {
  const begin = performance.now();
  let answerLost = false;
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    const answer = await send(attempt);
    if (answer.kind === 'data') return { data: answer.data, answerLost };
    answerLost ||= answer.kind === 'lost' || answer.kind === 'broken';
    const delay = Math.max(backoff(attempt, retry), answer.retryAfterMillis ?? 0);
    const isWorthwhile = answer.kind === 'wait' || (answer.kind === 'lost' && repeatable);
    if (!isWorthwhile || performance.now() - begin + delay > retry.withinMillis) {
      throw new ScopestateError(answer.failure, answerLost);
    }
    retry.onRetry?.(new ScopestateError(answer.failure, answerLost), delay);
    await setTimeout(delay, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }
}

/** Half of it random, so that callers that failed together don't come back together. */
function backoff(attempt: number, { firstDelayMillis, longestDelayMillis }: RetryOptions): number {
  const longest = Math.min(longestDelayMillis, firstDelayMillis * 2 ** (attempt - 1));
  return longest * (0.5 + Math.random() / 2);
}
