import type { Grants } from '../caller/grant.rules.js';
import type { Parameters } from '../scope-state/condition.sql.js';
import { granted } from '../scope-state/granted.sql.js';

/** SQL on the entry `h` of a caller who is not granted everything. */
export interface GrantedSides {
  /** whether what its own columns say is granted: the state after the change, and mostly the one before it, too */
  readonly own: string;
  /** whether it says of another unit before the change, and that one is granted */
  readonly old: string;
}

/** What `seenWith` shows of an entry; undefined where all is shown. */
export function grantedSides(grants: Grants, parameters: Parameters): GrantedSides | undefined {
  const own = granted(grants, 'h.', parameters);
  if (own === undefined) return undefined;
  return { own, old: `(h.old_identifier is not null and ${granted(grants, 'h.old_', parameters)})` };
}

/** Whether nothing of the entry is hidden. */
export function wholly({ own, old }: GrantedSides): string {
  return `${own} and (h.old_identifier is null or ${old})`;
}
