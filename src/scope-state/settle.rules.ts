import { unitKey, type CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import type { ScopeState } from './scope-state.rules.js';

/**
 * Completes a batch's results with the ids and times that the database gave when it was written. An item that was
 * followed by another on the same unit keeps what it did, as if it had come alone; only its row's id may be new to it.
 */
export function settle<Result extends { readonly state: ScopeState | undefined }>(
  results: Result[],
  written: ReadonlyMap<ScopeState, ScopeState>,
): Result[] {
  const idOfUnit = new Map([...written.values()].map((state) => [keyOf(state), state.id]));
  return results.map((result) => {
    const { state } = result;
    if (state === undefined) return result;
    return {
      ...result,
      state: written.get(state) ?? { ...state, id: state.id || idOfUnit.get(keyOf(state))! },
    };
  });
}

function keyOf(state: ScopeState): string {
  return unitKey(state as CollectionUnit);
}
