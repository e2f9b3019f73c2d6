import type { CollectionUnit } from '../../src/collection-unit/collection-unit.rules.js';
import type { ScopeState } from '../../src/scope-state/scope-state.rules.js';

export function unitOf(scopeId: string, collector = 'gnocchi'): CollectionUnit {
  return { scopeId, scopeKey: 'project_id', collector, fetcher: 'keystone' };
}

/** A row, active and of the unit `a` unless told otherwise. */
export function storedState(given: Partial<ScopeState> = {}): ScopeState {
  const at = Temporal.Instant.from('2026-01-01T00:00:00Z');
  return {
    id: 1,
    ...unitOf('a'),
    lastProcessedTimestamp: at,
    active: true,
    scopeActivationToggleDate: at,
    lastAdvancedAt: null,
    updatedAt: at,
    version: 1,
    revision: 1,
    movedByOperator: false,
    ...given,
  };
}

export const legacyParts = { scopeKey: null, collector: null, fetcher: null } as const;
