import { coverAll, grantFields, likePattern, type Grants } from '../caller/grant.rules.js';
import type { Parameters } from './condition.sql.js';

const columns = { scopeId: 'identifier', scopeKey: 'scope_key', collector: 'collector', fetcher: 'fetcher' };

/**
 * SQL of whether a row is granted: what `cover` says of its texts. `prefix` stands before the columns' names.
 * The patterns go into `parameters`, never into the text.
 */
export function granted(grants: Grants, prefix: string, parameters: Parameters): string {
  if (coverAll(grants)) return 'true';
  const alternatives = grants.map((grant) => {
    const fits = grantFields
      .filter((field) => grant[field] !== '*')
      .map((field) => {
        const column = `${prefix}${columns[field]}`;
        return `coalesce(${column} like ${parameters.add(likePattern(grant[field]), 'text')}, true)`;
      });
    return `(${fits.join(' and ')})`;
  });
  return alternatives.length > 0 ? `(${alternatives.join(' or ')})` : 'false';
}
