import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { CallContext, Identity } from '../caller/caller.js';

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

/** What the resolvers are told of a request, and of who sent it. */
export function contextOf(requestId: string, { name, role, grants }: Identity): CallContext {
  return { caller: { caller: name, requestId }, role, grants };
}
