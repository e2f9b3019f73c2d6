import type { Grants } from '../caller/grant.rules.js';
import type { Parameters } from '../scope-state/condition.sql.js';
import { table } from '../scope-state/row.sql.js';
import { unitParameters } from '../scope-state/unit-match.sql.js';
import { timed } from './block.sql.js';
import type { ChangeFilter } from './change-filter.rules.js';
import { history } from './change-row.sql.js';
import { grantedSides } from './granted-change.sql.js';

const unit = ['identifier', 'scope_key', 'collector', 'fetcher'] as const;

/**
 * The filter, and what of it the caller may see, as SQL on the entry `h`; the values go into `parameters`, never into the
 * text. Before and after the change the state may have been of two units: one of them has to match, in all that the filter
 * says of units; and one that is hidden is not matched, for that would tell of it.
 */
export function conditionOfChanges(filter: ChangeFilter, grants: Grants, parameters: Parameters): string {
  const sides = grantedSides(grants, parameters);
  const conditions: string[] = sides ? [`(${sides.own} or ${sides.old})`] : [];
  const texts = (values: readonly string[]) => parameters.add(values, 'text[]');
  const ofUnit: ((side: 'h.' | 'h.old_') => string)[] = [];
  if (filter.units) {
    const asked = unitParameters(filter.units).map(texts);
    conditions.push(`h.state_id in (${idsOfScopes(asked[0]!)})`);
    const units = `(select * from unnest(${asked.join(', ')}))`;
    ofUnit.push((side) => `(${unit.map((column) => side + column).join(', ')}) in ${units}`);
  }
  if (filter.scopeIds) {
    const asked = texts(filter.scopeIds);
    conditions.push(`h.state_id in (${idsOfScopes(asked)})`);
    ofUnit.push((side) => `${side}identifier = any (${asked})`);
  }
  if (filter.collectors) {
    const asked = texts(filter.collectors);
    ofUnit.push((side) => `${side}collector = any (${asked})`);
  }
  if (ofUnit.length > 0) {
    const own = ofUnit.map((fits) => fits('h.'));
    const old = ofUnit.map((fits) => fits('h.old_'));
    if (sides) {
      own.unshift(sides.own);
      old.unshift(sides.old);
    }
    conditions.push(`(${own.join(' and ')} or ${old.join(' and ')})`);
  }
  if (filter.kinds) {
    // The second one lets the index of the rare kinds be used.
    conditions.push(`h.kind = any (${parameters.add(filter.kinds, 'text[]')})`);
    if (!filter.kinds.includes('ADVANCED')) conditions.push(`h.kind <> 'ADVANCED'`);
  }
  if (filter.actors) conditions.push(`h.actor = any (${parameters.add(filter.actors, 'text[]')})`);
  conditions.push(...timed(filter, parameters));
  return conditions.length > 0 ? conditions.join(' and ') : 'true';
}

/**
 * Ids of all states that have, or had at a time that the history knows, one of these scope ids. Advances need not be looked
 * through: a state whose other entries were pruned stands in the table, or an entry says how it left the scope.
 */
export function idsOfScopes(scopeIds: string): string {
  return `select s.id from ${table} s where s.identifier = any (${scopeIds})
    union select e.state_id from ${history} e where e.identifier = any (${scopeIds}) and e.kind <> 'ADVANCED'
    union select e.state_id from ${history} e where e.old_identifier = any (${scopeIds})`;
}
