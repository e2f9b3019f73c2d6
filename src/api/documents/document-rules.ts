import type { ValidationRule } from 'graphql';
import type { Limits } from '../../config.js';
import { documentLimits } from './document-limits.js';
import { subscriptionRoots } from './subscription-roots.js';

/** What a document has to keep to besides GraphQL's own rules, the trusted ones too. */
export function rulesOf(limits: Limits): ValidationRule[] {
  return [documentLimits(limits), subscriptionRoots];
}
