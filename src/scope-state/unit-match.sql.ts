import type { CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import { table } from './row.sql.js';

/** The four parameters of a statement that takes one unit: $1 to $4. */
export function unitTexts({ scopeId, scopeKey, collector, fetcher }: CollectionUnit): string[] {
  return [scopeId, scopeKey, collector, fetcher];
}

/** Whether `s` is the row of the one unit that is asked for. */
export const isOfUnit = `s.identifier = $1 and s.scope_key = $2 and s.collector = $3 and s.fetcher = $4`;

/** The four parameters of a statement that takes units: $1 to $4. */
export function unitParameters(units: readonly CollectionUnit[]): string[][] {
  return [
    units.map((unit) => unit.scopeId),
    units.map((unit) => unit.scopeKey),
    units.map((unit) => unit.collector),
    units.map((unit) => unit.fetcher),
  ];
}

const unitsAsked = `unnest(${['$1', '$2', '$3', '$4'].map((place) => given(place, 'text[]')).join(', ')})`;

/**
 * An array parameter whose length the planner does not see. Where it does, it takes the statement with one unit for so much
 * cheaper than the statement with any that it plans it anew each time, which costs far more than to run it.
 */
export function given(place: string, type: string): string {
  return `(select ${place}::${type})::${type}`;
}

/** That the three columns of a row are empty. */
const isLegacy = (alias: string) =>
  `num_nonnulls(${alias}.scope_key, ${alias}.collector, ${alias}.fetcher) = 0`;

/** Whether a look-up of the one unit that is asked for can find `s`. */
export const isCandidate = `s.identifier = $1 and ((${isOfUnit}) or ${isLegacy('s')})`;

/** These columns of each unit's own row, `c`; of one that is asked for twice, twice. */
const ownRows = (columns: string) => `
  select ${columns}
  from ${unitsAsked} as asked (identifier, scope_key, collector, fetcher)
  join ${table} c using (identifier, scope_key, collector, fetcher)`;

/**
 * The same of the units' scope ids' legacy rows. That the three columns are empty is said in a way that no index knows: PostgreSQL
 * takes it for rarer than it is, for it takes the columns for independent, and would look through all legacy rows for one.
 */
const legacyRows = (columns: string) => `
  select ${columns}
  from ${table} c
  where c.identifier = any (${given('$1', 'text[]')})
    and ${isLegacy('c')}`;

/** Ids of every row that a look-up of the units asked for can find: each unit's own, and its scope id's legacy row. */
export const idsOfCandidates = `${ownRows('c.id')} union ${legacyRows('c.id')}`;

/**
 * Rows by which each look-up of the units asked for can be answered: their own, which come before legacy rows (DESIGN.md 2.1); so
 * legacy rows are looked for only where not every unit has one.
 */
export function rowsToAnswerWith(columns: string): string {
  return `
  with own as materialized (${ownRows(columns)})
  select * from own
  union all ${legacyRows(columns)}
    and (select count(*) from own) < cardinality($1::text[])`;
}
