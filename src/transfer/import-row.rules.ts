import { checkText, longest } from '../collection-unit/collection-unit.rules.js';
import { BadInput, quoted } from '../fault.js';
import { parseInstant } from '../time/instant.js';
import { BadField } from './bad-field.rules.js';
import type { Column, Fields } from './columns.rules.js';

/** A state to import. What the input does not give is null: it is neither compared nor changed. */
export interface ImportRow {
  readonly scopeId: string;
  readonly scopeKey: string | null;
  readonly collector: string | null;
  readonly fetcher: string | null;
  readonly lastProcessedTimestamp: Temporal.Instant;
  readonly active: boolean | null;
  readonly scopeActivationToggleDate: Temporal.Instant | null;
}

/** @throws BadField naming the first column whose value the rules of state refuse */
export function importRowOf(fields: Fields): ImportRow {
  return {
    scopeId: required('scopeId', textIn(fields, 'scopeId')),
    scopeKey: textOrNullIn(fields, 'scopeKey'),
    collector: textOrNullIn(fields, 'collector'),
    fetcher: textOrNullIn(fields, 'fetcher'),
    lastProcessedTimestamp: required('lastProcessedTimestamp', instantIn(fields, 'lastProcessedTimestamp')),
    active: booleanIn(fields, 'active'),
    scopeActivationToggleDate: instantIn(fields, 'scopeActivationToggleDate'),
  };
}

/** Why a state can't be taken whose time has not come, by the database's clock. */
export function inFuture(clock: Temporal.Instant): BadField {
  return new BadField(
    'lastProcessedTimestamp',
    `it is later than the database's clock (${clock.toString()})`,
  );
}

/** An empty text is no NULL: taken for one, it could make a legacy row, which the next unit that asks takes over. */
function textOrNullIn(fields: Fields, column: 'scopeKey' | 'collector' | 'fetcher'): string | null {
  if (fields[column] !== '') return textIn(fields, column);
  const allowed = `1 to ${longest[column]} characters, or NULL (in CSV and TSV: an empty field without quotes)`;
  throw new BadField(column, `found an empty text; allowed: ${allowed}`);
}

function textIn(fields: Fields, column: keyof typeof longest): string | null {
  const value = fields[column] ?? null;
  if (value === null) return null;
  if (typeof value !== 'string') throw unfit(column, value, 'a text');
  try {
    checkText(value, longest[column], column);
  } catch (error) {
    if (error instanceof BadInput) throw new BadField(column, error.message.slice(column.length + 2));
    throw error;
  }
  return value;
}

/** As RFC 3339 has it, or as databases print it: a blank instead of the T, and without a zone in UTC. */
function instantIn(fields: Fields, column: Column): Temporal.Instant | null {
  const value = valueIn(fields, column);
  if (value === null) return null;
  if (typeof value !== 'string') throw unfit(column, value, 'a text');
  const zoned = /(?:[Zz]|[+-]\d\d:\d\d)$/.test(value) ? value : `${value}Z`;
  try {
    return parseInstant(zoned[10] === ' ' ? `${zoned.slice(0, 10)}T${zoned.slice(11)}` : zoned);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // The rule's own words, but what was found as it stands in the input.
    throw new BadField(
      column,
      `found ${quoted(value)}${error.message.slice(error.message.lastIndexOf('; '))}`,
    );
  }
}

const booleans: Partial<Record<string, boolean>> = {
  true: true,
  t: true,
  1: true,
  false: false,
  f: false,
  0: false,
};

function booleanIn(fields: Fields, column: Column): boolean | null {
  const value = valueIn(fields, column);
  if (value === null || typeof value === 'boolean') return value;
  const found =
    typeof value === 'string' || typeof value === 'number'
      ? booleans[String(value).toLowerCase()]
      : undefined;
  if (found === undefined) throw unfit(column, value, 'true or false (t, f, 1, 0)');
  return found;
}

/** Of columns that hold no text, an empty one means "not given", quoted or not. */
function valueIn(fields: Fields, column: Column): unknown {
  const value = fields[column];
  return value === undefined || value === '' ? null : value;
}

function required<T>(column: Column, value: T | null): T {
  if (value === null) throw new BadField(column, 'it is missing');
  return value;
}

function unfit(column: Column, found: unknown, allowed: string): BadField {
  return new BadField(
    column,
    `found ${quoted(typeof found === 'string' ? found : JSON.stringify(found))}; allowed: ${allowed}`,
  );
}
