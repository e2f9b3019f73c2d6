import type { Queryable } from './pool.js';

interface Corkable {
  cork(): void;
  uncork(): void;
}

/** Statements that `send` sends to one session go out in one write, not in one each: writes are what sending costs most. */
export function inOneWrite<T>(session: Queryable, send: () => T): T {
  // Not among the driver's types; without it, each goes out by itself.
  const { stream } = (session as { connection?: { stream?: Corkable } }).connection ?? {};
  stream?.cork();
  try {
    return send();
  } finally {
    stream?.uncork();
  }
}
