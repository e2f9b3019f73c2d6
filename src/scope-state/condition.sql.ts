import type { ScopeStateFilter } from './filter.rules.js';
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
  const timed = (operator: string, instant: Temporal.Instant | null | undefined) => {
    if (instant) {
      const value = parameters.add(toTimestamp(instant), 'timestamp(6)');
      conditions.push(`s.last_processed_timestamp ${operator} ${value}`);
    }
  };
  anyOf('s.identifier', filter.scopeIds);
  anyOf('s.scope_key', filter.scopeKeys);
  anyOf('s.collector', filter.collectors);
  anyOf('s.fetcher', filter.fetchers);
  if (typeof filter.scopeIdPrefix === 'string') {
    conditions.push(`starts_with(s.identifier, ${parameters.add(filter.scopeIdPrefix, 'text')})`);
  }
  if (typeof filter.active === 'boolean')
    conditions.push(`s.active = ${parameters.add(filter.active, 'boolean')}`);
  if (typeof filter.legacy === 'boolean') {
    const legacy = 's.scope_key is null and s.collector is null and s.fetcher is null';
    conditions.push(filter.legacy ? legacy : `not (${legacy})`);
  }
  timed('<', filter.processedBefore);
  timed('>=', filter.processedSince);
  return conditions.length > 0 ? conditions.join(' and ') : 'true';
}
