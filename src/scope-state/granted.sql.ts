import { coverAll, grantFields, isAny, likePattern, type Grant, type Grants } from '../caller/grant.rules.js';
import type { Parameters } from './condition.sql.js';

const columns = { scopeId: 'identifier', scopeKey: 'scope_key', collector: 'collector', fetcher: 'fetcher' };

/**
 * SQL of whether a row is granted: what `cover` says of its texts; undefined where everything is, so that the statement
 * stays as it is. `prefix` stands before the columns' names. The patterns go into `parameters`, never into the text.
 */
export function granted(grants: Grants, prefix: string, parameters: Parameters): string | undefined {
  if (coverAll(grants)) return undefined;
  const alternatives = grants.map((grant) => {
    const fits = grantFields.filter((field) => !isAny(grant[field]));
    return fits.map((field) => fit(grant, field, prefix, parameters)).join(' and ');
  });
  return alternatives.length > 0 ? `(${alternatives.join(' or ')})` : 'false';
}

/** The condition, and that the row `s` is granted. */
export function narrowed(condition: string, grants: Grants, parameters: Parameters): string {
  const isGranted = granted(grants, 's.', parameters);
  return isGranted === undefined ? condition : `${condition} and ${isGranted}`;
}

function fit(grant: Grant, field: keyof Grant, prefix: string, parameters: Parameters): string {
  const column = `${prefix}${columns[field]}`;
  // A pattern without a star, and the prefix of one with a star, are ranges of an index on the scope id.
  const comparison = grant[field].includes('*')
    ? `${column} like ${parameters.add(likePattern(grant[field]), 'text')}`
    : `${column} = ${parameters.add(grant[field], 'text')}`;
  return field === 'scopeId' ? comparison : `(${column} is null or ${comparison})`;
}
