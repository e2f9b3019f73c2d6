import { OutcomeUnknown, Unavailable } from '../fault.js';

/**
 * What `work` answers, or a fault at the deadline. The work itself goes on: a mutation may still be done, and the
 * database ends a statement by itself.
 */
export async function withinDeadline<T>(
  work: Promise<T>,
  millis: number,
  isMutation: () => boolean,
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(lateness(millis, isMutation())), millis);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What is to be said of a request that is not answered in time. */
export function lateness(millis: number, isMutation: boolean): OutcomeUnknown | Unavailable {
  const found = `no answer within ${millis} ms (SCOPESTATE_REQUEST_DEADLINE)`;
  return isMutation ? new OutcomeUnknown(`${found}, and it may still be done`) : new Unavailable(found);
}
