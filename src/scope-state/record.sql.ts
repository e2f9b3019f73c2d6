import type { Caller } from '../caller/caller.js';
import { utcClock } from './row.sql.js';

/** What an operator does: who, why, and the UUID under which it can be undone as a whole. */
export interface Author extends Caller {
  readonly reason: string;
  readonly operation: string;
}

/** The values of an operator's four parameters, in `record`'s order. */
export function authorValues({ caller, requestId, reason, operation }: Author): string[] {
  return [caller, requestId, reason, operation];
}

export const history = 'scopestate_history';

const unit = ['identifier', 'scope_key', 'collector', 'fetcher'] as const;
const flag = ['active', 'scope_activation_toggle_date'] as const;
const changing = ['last_processed_timestamp', 'last_advanced_at', 'version', 'updated_at'] as const;

/** Columns of `o`, the row as it was, for a statement that returns it beside the changed row. */
export const asItWas = [...unit, ...flag, ...changing]
  .map((column) => `o.${column} as old_${column}`)
  .join(', ');

/** The same of an advanced row under another alias: an advance needs no more of it. */
export function advancingAsItWas(alias: string): string {
  return changing.map((column) => `${alias}.${column} as old_${column}`).join(', ');
}

/** Its columns, where something has them under that name already. */
export function keptAsItWas(alias: string): string {
  return changing.map((column) => `${alias}.old_${column}`).join(', ');
}

interface Change {
  /** name of the CTE that returns the changed rows, whole; those that were updated with `asItWas`, of which an advance needs `changing` only */
  readonly changed: string;
  readonly what: 'created' | 'updated' | 'advanced' | 'deleted';
  /** SQL of the entry's kind, over a row `c` */
  readonly kind: string;
}

/**
 * Inserts an entry for each changed row: a CTE of the statement that changes them, so that neither is there without the
 * other, and that the entry gets its number while the row is locked. An update that raises no version is no change.
 * `author` is SQL for the actor, the request's id, and for an operator's change the reason and the operation.
 */
export function record({ changed, what, kind }: Change, author: readonly string[]): string {
  const values = new Map([['kind', kind], ['state_id', 'c.id'], ...kept(what), ...before(what)]);
  const [actor, requestId, reason = 'null', operation] = author;
  values.set('recorded_at', what === 'deleted' ? utcClock : 'c.updated_at');
  values.set('actor', actor!).set('request_id', requestId!).set('reason', reason);
  if (operation !== undefined) {
    values.set('operation', operation).set('operation_size', `(select count(*) from ${changed})`);
  }
  const isChange = what === 'updated' ? 'where c.version <> c.old_version' : '';
  return `insert into ${history} (${[...values.keys()].join(', ')})
          select ${[...values.values()].join(', ')} from ${changed} c ${isChange}`;
}

/** The state after the change; of a deleted one, as it was. */
function kept(what: Change['what']): [string, string][] {
  const columns = [...unit, ...flag, 'last_processed_timestamp', 'last_advanced_at'].map(
    (column): [string, string] => [column, `c.${column}`],
  );
  return what === 'deleted' ? columns : [...columns, ['version', 'c.version']];
}

/** Unit and flag only where they were others: an advance, and so nearly every entry, leaves them as they are. */
function before(what: Change['what']): [string, string][] {
  if (what === 'created') return [];
  if (what === 'deleted') return changing.map((column) => [`old_${column}`, `c.${column}`]);
  const where = (columns: readonly string[], condition: string) =>
    columns.map((column): [string, string] => [
      `old_${column}`,
      `case when ${condition} then c.old_${column} end`,
    ]);
  const asOld = changing.map((column): [string, string] => [`old_${column}`, `c.old_${column}`]);
  if (what === 'advanced') return asOld;
  return [...where(unit, isAnother(unit)), ...where(flag, isAnother(flag)), ...asOld];
}

/** Whether these columns of `c` were others before. */
function isAnother(columns: readonly string[]): string {
  const listed = (prefix: string) => columns.map((column) => `c.${prefix}${column}`).join(', ');
  return `(${listed('')}) is distinct from (${listed('old_')})`;
}

export const isOfAnotherUnit = isAnother(unit);
