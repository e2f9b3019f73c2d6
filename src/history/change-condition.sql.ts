import type { Grants } from '../caller/grant.rules.js';
import type { Parameters } from '../scope-state/condition.sql.js';
import { table, toTimestamp } from '../scope-state/row.sql.js';
import { unitParameters } from '../scope-state/unit-match.sql.js';
import type { ChangeFilter } from './change-filter.rules.js';
import { history } from './change-row.sql.js';
import { grantedSides } from './granted-change.sql.js';

/**
 * The filter, and what of it the caller may see, as SQL on the entry `h`; the values go into `parameters`, never into the
 * text. Before and after the change the state may have been of two units: one that is hidden is not matched, either, for
 * that would tell of it.
 */
export function conditionOfChanges(filter: ChangeFilter, grants: Grants, parameters: Parameters): string {
  const sides = grantedSides(grants, parameters);
  const either = (own: string, old: string) =>
    sides ? `((${sides.own} and ${own}) or (${sides.old} and ${old}))` : `(${own} or ${old})`;
  const conditions: string[] = sides ? [`(${sides.own} or ${sides.old})`] : [];
  const { units, scopeIds, collectors } = filter;
  if (units) {
    const texts = unitParameters(units).map((values) => parameters.add(values, 'text[]'));
    const asked = `(select * from unnest(${texts.join(', ')}))`;
    conditions.push(
      `h.state_id in (${idsOfScopes(texts[0]!)})`,
      either(
        `(h.identifier, h.scope_key, h.collector, h.fetcher) in ${asked}`,
        `(h.old_identifier, h.old_scope_key, h.old_collector, h.old_fetcher) in ${asked}`,
      ),
    );
  }
  if (scopeIds) {
    const asked = parameters.add(scopeIds, 'text[]');
    conditions.push(
      `h.state_id in (${idsOfScopes(asked)})`,
      either(`h.identifier = any (${asked})`, `h.old_identifier = any (${asked})`),
    );
  }
  if (collectors) {
    const asked = parameters.add(collectors, 'text[]');
    conditions.push(either(`h.collector = any (${asked})`, `h.old_collector = any (${asked})`));
  }
  if (filter.kinds) {
    // The second one lets the index of the rare kinds be used.
    conditions.push(`h.kind = any (${parameters.add(filter.kinds, 'text[]')})`);
    if (!filter.kinds.includes('ADVANCED')) conditions.push(`h.kind <> 'ADVANCED'`);
  }
  if (filter.actors) conditions.push(`h.actor = any (${parameters.add(filter.actors, 'text[]')})`);
  const timed = (operator: string, instant: Temporal.Instant | null | undefined) => {
    if (instant) {
      conditions.push(`h.recorded_at ${operator} ${parameters.add(toTimestamp(instant), 'timestamp(6)')}`);
    }
  };
  timed('>=', filter.since);
  timed('<', filter.until);
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
