import type { CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import { table } from './row.sql.js';

/** The four parameters of a statement that takes units: $1 to $4. */
export function unitParameters(units: readonly CollectionUnit[]): string[][] {
  return [
    units.map((unit) => unit.scopeId),
    units.map((unit) => unit.scopeKey),
    units.map((unit) => unit.collector),
    units.map((unit) => unit.fetcher),
  ];
}

const unitsAsked = 'unnest($1::text[], $2::text[], $3::text[], $4::text[])';

/** Ids of every row that a look-up of the units asked for can find: each unit's own, and its scope id's legacy row. */
export const idsOfCandidates = `
  select c.id
  from ${unitsAsked} as asked (identifier, scope_key, collector, fetcher)
  join ${table} c using (identifier, scope_key, collector, fetcher)
  union
  select c.id
  from ${table} c
  where c.identifier = any ($1::text[]) and c.scope_key is null and c.collector is null and c.fetcher is null`;
