import type { Parameters } from '../scope-state/condition.sql.js';
import { toTimestamp } from '../scope-state/row.sql.js';
import type { ChangeFilter } from './change-filter.rules.js';
import { history } from './change-row.sql.js';

/** How many numbers a block has: as the index says. */
const blockSize = 10_000;

/** When an entry `h` was made, as far as the filter says. */
export function timed({ since, until }: ChangeFilter, parameters: Parameters): string[] {
  const conditions: string[] = [];
  const add = (operator: string, instant: Temporal.Instant | null | undefined) => {
    if (instant) {
      conditions.push(`h.recorded_at ${operator} ${parameters.add(toTimestamp(instant), 'timestamp(6)')}`);
    }
  };
  add('>=', since);
  add('<', until);
  return conditions;
}

/** Numbers between which a time's entries lie, the second one not included. */
export interface BoundsRow extends Record<string, unknown> {
  low: string | null;
  high: string | null;
}

/**
 * Pages go by numbers, and from numbers to times there is no rule, but that both grow: who writes for an hour takes his
 * numbers at the end of it. So an index tells of each block of numbers whether it has an entry of the filter's time, and
 * the page is looked for between the first such block and the last. Undefined: the filter names no time.
 */
export function findBounds(filter: ChangeFilter, parameters: Parameters): string | undefined {
  const conditions = timed(filter, parameters);
  if (conditions.length === 0) return undefined;
  const blockOf = (way: 'asc' | 'desc') =>
    `(select sequence from ${history} order by sequence ${way} limit 1) / ${blockSize}`;
  // LIMIT, and in the index's order, so that each block is one look into it: all entries would be read otherwise.
  return `/* ChangePage.findBounds */
    select (min(block) * ${blockSize})::text as low, ((max(block) + 1) * ${blockSize})::text as high
    from generate_series(${blockOf('asc')}, ${blockOf('desc')}) block, lateral (
      select from ${history} h where h.sequence / ${blockSize} = block and ${conditions.join(' and ')}
      order by h.recorded_at limit 1
    ) found`;
}
