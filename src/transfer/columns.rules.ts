import { OperatorError, quoted } from '../fault.js';

/** What a row of an exported file holds, in this order: the API's names, neither id nor version. */
export const columns = [
  'scopeId',
  'scopeKey',
  'collector',
  'fetcher',
  'lastProcessedTimestamp',
  'active',
  'scopeActivationToggleDate',
] as const;

export type Column = (typeof columns)[number];

/** A row as it was read: a text, a boolean or a number; null and absent mean "not given". */
export type Fields = Partial<Record<Column, unknown>>;

const needed = ['scopeId', 'lastProcessedTimestamp'] as const;

/** CloudKitty's names; the state's column was called `state` at first. */
const cloudKittyNames: Partial<Record<string, Column>> = {
  identifier: 'scopeId',
  scope_key: 'scopeKey',
  last_processed_timestamp: 'lastProcessedTimestamp',
  state: 'lastProcessedTimestamp',
  scope_activation_toggle_date: 'scopeActivationToggleDate',
};

export function columnOf(name: string): Column | undefined {
  return columns.find((column) => column === name) ?? cloudKittyNames[name];
}

export interface Layout {
  /** which column stands at each place; undefined: one that import does not take */
  readonly places: readonly (Column | undefined)[];
  readonly ignored: readonly string[];
}

/** @throws OperatorError when a needed column is missing, or one is there twice */
export function layoutOf(names: readonly string[], source: string): Layout {
  const places = names.map(columnOf);
  for (const column of needed) {
    if (places.includes(column)) continue;
    throw new OperatorError(
      `${source}: the column ${column} (${namesOf(column)}) is missing; found: ${names.map(quoted).join(', ')}`,
    );
  }
  const twice = columns.find((column) => places.indexOf(column) !== places.lastIndexOf(column));
  if (twice) throw new OperatorError(`${source}: two columns give ${twice}: keep one of them`);
  return { places, ignored: names.filter((name) => columnOf(name) === undefined) };
}

function namesOf(column: Column): string {
  const names = Object.keys(cloudKittyNames).filter((name) => cloudKittyNames[name] === column);
  return `CloudKitty's ${names.join(' or ')}`;
}
