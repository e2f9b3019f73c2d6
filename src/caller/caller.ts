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
}
