import type { ScopeStateFilter } from './filter.rules.js';
import { endOfPrefix } from './prefix.rules.js';
import { toTimestamp } from './row.sql.js';

/** Collects a statement's parameters: `add` answers the placeholder of a value. */
export class Parameters {
  readonly values: unknown[];

  /** @param values those that the statement names by their numbers, before all others */
  constructor(values: readonly unknown[] = []) {
    this.values = [...values];
  }

  add(value: unknown, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}

/** The filter as SQL on the row `s`; its values go into `parameters`, never into the text. */
export function conditionOf(filter: ScopeStateFilter, parameters: Parameters): string {
  const conditions: string[] = [];
  const anyOf = (column: string, values: string[] | null | undefined) => {
    if (values) conditions.push(`${column} = any (${parameters.add(values, 'text[]')})`);
  };
  anyOf('s.identifier', filter.scopeIds);
  anyOf('s.scope_key', filter.scopeKeys);
  anyOf('s.collector', filter.collectors);
  anyOf('s.fetcher', filter.fetchers);
  if (typeof filter.scopeIdPrefix === 'string') {
    // Not starts_with: an index serves it only where the planner knows the prefix.
    conditions.push(`s.identifier >= ${parameters.add(filter.scopeIdPrefix, 'text')}`);
    const end = endOfPrefix(filter.scopeIdPrefix);
    if (end !== undefined) conditions.push(`s.identifier < ${parameters.add(end, 'text')}`);
  }
  // In the text, so that the index of the inactive ones fits whatever the parameters are.
  if (typeof filter.active === 'boolean') conditions.push(filter.active ? 's.active' : 'not s.active');
  if (typeof filter.legacy === 'boolean') {
    const legacy = 's.scope_key is null and s.collector is null and s.fetcher is null';
    conditions.push(filter.legacy ? legacy : `not (${legacy})`);
  }
  const { processedBefore, processedSince } = filter;
  if (processedBefore) {
    const value = parameters.add(toTimestamp(processedBefore), 'timestamp(6)');
    conditions.push(`s.last_processed_timestamp < ${value}`);
    // At midnight that day is out already: it may be today's, with most of the states.
    conditions.push(dayIs('<=', processedBefore.subtract({ microseconds: 1 }), parameters));
  }
  if (processedSince) {
    const value = parameters.add(toTimestamp(processedSince), 'timestamp(6)');
    conditions.push(`s.last_processed_timestamp >= ${value}`, dayIs('>=', processedSince, parameters));
  }
  return conditions.length > 0 ? conditions.join(' and ') : 'true';
}

/** What follows from a condition on the timestamp, for the index: it has days only. */
export function dayIs(operator: '<=' | '>=', instant: Temporal.Instant, parameters: Parameters): string {
  return `s.last_processed_day ${operator} ${parameters.add(toTimestamp(instant).slice(0, 'YYYY-MM-DD'.length), 'date')}`;
}
