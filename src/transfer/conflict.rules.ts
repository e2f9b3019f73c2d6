import { formatInstant } from '../time/instant.js';

/** What is done where one unit has other values than are stored, or than another line gives. */
export const onConflictChoices = ['fail', 'skip', 'keep-latest', 'keep-earliest'] as const;
export type OnConflict = (typeof onConflictChoices)[number];

export interface Values {
  readonly lastProcessedTimestamp: Temporal.Instant;
  readonly active: boolean | null;
  readonly scopeActivationToggleDate: Temporal.Instant | null;
}

export interface Conflict {
  readonly line: number;
  /** scope id, scope key, collector, fetcher */
  readonly unit: readonly (string | null)[];
  readonly given: Values;
  /** of the line that is taken instead, or stored */
  readonly other: Values & { readonly line: number | null };
}

/** A conflict in one line. */
export function describeConflict({ line, unit, given, other }: Conflict): string {
  const place = other.line === null ? 'stored' : `line ${other.line}`;
  return `line ${line} ${JSON.stringify(unit)}: ${describe(given)}; ${place}: ${describe(other)}`;
}

function describe({ lastProcessedTimestamp, active, scopeActivationToggleDate: toggled }: Values): string {
  return [
    formatInstant(lastProcessedTimestamp),
    ...(active === null ? [] : [active ? 'active' : 'inactive']),
    ...(toggled === null ? [] : [`toggled ${formatInstant(toggled)}`]),
  ].join(', ');
}
