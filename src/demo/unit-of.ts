import type { CollectionUnit } from '../collection-unit/collection-unit.rules.js';

/** The four texts alone: the API refuses fields that it does not know. */
export function unitOf({ scopeId, scopeKey, collector, fetcher }: CollectionUnit): CollectionUnit {
  return { scopeId, scopeKey, collector, fetcher };
}
