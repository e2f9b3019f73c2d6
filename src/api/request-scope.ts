import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { CallContext } from '../caller/caller.js';
import { allUnits } from '../caller/grant.rules.js';

/** The request that is being answered: an error is shaped where nothing else says to which request it belongs. */
const scope = new AsyncLocalStorage<string>();

export function inRequest<T>(requestId: string, answer: () => T): T {
  return scope.run(requestId, answer);
}

export function currentRequestId(): string {
  return scope.getStore() ?? 'none';
}

/** The caller's own id where it is one that a log can carry, else a new one. */
export function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && /^[\w.:-]{1,100}$/.test(header) ? header : randomUUID();
}

/** Nobody has to say who he is. */
export function contextOf(requestId: string): CallContext {
  return { caller: { caller: 'anonymous', requestId }, role: 'admin', grants: allUnits };
}
