import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/** Whoever balances load sees `/readyz` and moves on; kept-alive connections end with their next answer. */
const graceMillis = 500;

/** What is not answered by then is cut off: a supervisor would kill the process a little later. */
const longestMillis = 8_000;

export interface Drain {
  readonly hasBegun: boolean;
  /** What has no end of its own is ended when the grace is over. */
  atEnd(end: () => void): void;
  /** Ends the server: answers what it accepted, refuses what comes after, within nine seconds. */
  close(): Promise<void>;
}

export function addDrain(server: FastifyInstance): Drain {
  let draining = false;
  const ends: (() => void)[] = [];
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (draining) reply.header('connection', 'close');
    done(null, payload);
  });
  return {
    get hasBegun() {
      return draining;
    },
    atEnd: (end) => void ends.push(end),
    close: async () => {
      draining = true;
      await delay(graceMillis);
      for (const end of ends) end();
      const cutOff = setTimeout(() => server.server.closeAllConnections(), longestMillis);
      await server.close();
      clearTimeout(cutOff);
    },
  };
}
