import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { CallContext, Identity } from '../caller/caller.js';

interface RequestScope {
  readonly requestId: string;
  /** as soon as it is known who asks */
  context?: CallContext;
}

/** The request that is being answered: an error is shaped where nothing else says to which request it belongs. */
const scope = new AsyncLocalStorage<RequestScope>();

const anonymous = 'anonymous';

export function inRequest<T>(requestId: string, answer: () => T): T {
  return scope.run({ requestId }, answer);
}

/** The same where it is known already who asks. */
export function inRequestOf<T>(context: CallContext, answer: () => T): T {
  return scope.run({ requestId: context.caller.requestId, context }, answer);
}

export function currentRequestId(): string {
  return scope.getStore()?.requestId ?? 'none';
}

/** Whether the one who is being answered has not said who he is. */
export function isAnonymousNow(): boolean {
  const context = scope.getStore()?.context;
  return context === undefined || isAnonymous(context);
}

export function isAnonymous({ caller }: CallContext): boolean {
  return caller.caller === anonymous;
}

/** The caller's own id where it is one that a log can carry, else a new one. */
export function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && /^[\w.:-]{1,100}$/.test(header) ? header : randomUUID();
}

/** What is known of a request: what its resolvers are told, and how the one who sent it is counted. */
export interface RequestContext extends CallContext {
  /** by which his requests and subscriptions are counted: his token's id, or his address */
  readonly countedAs: string;
}

/** What the resolvers are told of a request, and of who sent it. */
export function contextOf(
  requestId: string,
  { name, role, grants }: Identity,
  countedAs: string,
  mayGoOn?: CallContext['mayGoOn'],
): RequestContext {
  const context: RequestContext = {
    caller: { caller: name, requestId },
    role,
    grants,
    countedAs,
    ...(mayGoOn && { mayGoOn }),
  };
  const current = scope.getStore();
  if (current) current.context = context;
  return context;
}
