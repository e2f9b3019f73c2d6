import type { CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import { table, toldOf } from './row.sql.js';

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

/** The units that are asked for, and their places from 1 on. */
const asked = `unnest(${['$1', '$2', '$3', '$4'].map((place) => given(place, 'text[]')).join(', ')})
  with ordinality as asked (identifier, scope_key, collector, fetcher, place)`;

/**
 * Legacy rows, `c`, of scope ids. That the three columns are empty is said in a way that no index knows: PostgreSQL takes it for
 * rarer than it is, for it takes the columns for independent, and would look through all legacy rows for one.
 */
const legacyRowsOf = (scopeIds: string) =>
  `${table} c where c.identifier = any (${scopeIds}) and ${isLegacy('c')}`;

/** Ids of every row that a look-up of the units asked for can find: each unit's own, and its scope id's legacy row. */
export const idsOfCandidates = `
  select c.id
  from ${asked} join ${table} c using (identifier, scope_key, collector, fetcher)
  union
  select c.id
  from ${legacyRowsOf(given('$1', 'text[]'))}`;

/**
 * What answers the look-ups of the units asked for: each unit's own row, which wins (DESIGN.md 2.1), and only for those that have
 * none the legacy rows of their scope ids. One row has the clock, and what is told of all of the former, with commas in between, each with the
 * place of its unit behind it; each other one a legacy row's scope id, and what is told of it.
 *
 * @param clock SQL of now
 */
export function answers(clock: string): string {
  return `
  with own as materialized (
    select asked.identifier as wanted, c.id, ${toldOf('c', 'asked.place')} as told
    from ${asked} left join ${table} c using (identifier, scope_key, collector, fetcher)
  )
  select null as scope_id, string_agg(told, ',') as told, (select ${clock}) as now from own where id is not null
  union all
  select c.identifier, ${toldOf('c')}, null
  from ${legacyRowsOf('array(select wanted from own where id is null)')}`;
}
