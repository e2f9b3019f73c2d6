import type { Grants } from './grant.rules.js';
import type { Role } from './role.rules.js';

/** Who asks. Every entry of the log, and whatever records a change, names the caller and the request. */
export interface Caller {
  readonly caller: string;
  readonly requestId: string;
}

/** What a resolver knows of the request that it answers. */
export interface CallContext {
  readonly caller: Caller;
  readonly role: Role;
  /** states outside are for this caller as if they were not there */
  readonly grants: Grants;
  /**
   * Asked before each change of a request begins. Undefined: the caller may, as far as is known.
   *
   * @throws Unauthenticated | Unavailable when he is no longer let in, his request's time is over, or the database is not durable
   */
  readonly mayGoOn?: () => Promise<unknown> | undefined;
}

/** Who was let in, for whichever requests he then sends. */
export interface Identity {
  /** by which he is counted; undefined: by his address */
  readonly id?: string;
  readonly name: string;
  readonly role: Role;
  readonly grants: Grants;
}

/** What a request says of who sends it. */
export type Credentials = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Lets a caller in by the headers of his request; asked again while he subscribes, whether he still is. One way is
 * tokens (`access/token-way-in.ts`); another one is another such function.
 *
 * @throws Unauthenticated when nobody knows who it is
 * @throws Unavailable when that can't be found out now
 *
 * Answers at once where it can: a promise costs each request something.
 */
export type WayIn = (headers: Credentials) => Identity | Promise<Identity>;
