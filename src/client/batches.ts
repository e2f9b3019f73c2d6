import type { CollectionUnitInput } from './schema-types.js';

/** Half of what the server takes: a batch is one transaction, and a shorter one holds its locks for a shorter time. */
export const longestBatch = 500;

/**
 * Splits items into batches that are sent one after the other, as places in `units`. Items of one scope id keep their
 * order, for they compete for one legacy state. With `unitOnce` a unit is in a batch once at most: a batch that is sent
 * again after a lost answer is then told of each item what became of *it*, not of a later item of the same unit.
 */
export function batchesOf(
  units: readonly CollectionUnitInput[],
  { unitOnce }: { unitOnce: boolean },
): number[][] {
  const batches: number[][] = [];
  const lastOfScope = new Map<string, number>();
  const lastOfUnit = new Map<string, number>();
  let firstWithRoom = 0;
  for (const [place, unit] of units.entries()) {
    const { scopeId, scopeKey, collector, fetcher } = unit;
    const key = JSON.stringify([scopeId, scopeKey, collector, fetcher]);
    const afterUnit = unitOnce ? (lastOfUnit.get(key) ?? -1) + 1 : 0;
    let batch = Math.max(firstWithRoom, lastOfScope.get(scopeId) ?? 0, afterUnit);
    while ((batches[batch]?.length ?? 0) >= longestBatch) batch++;
    while (batches.length <= batch) batches.push([]);
    batches[batch]!.push(place);
    lastOfScope.set(scopeId, batch);
    lastOfUnit.set(key, batch);
    while ((batches[firstWithRoom]?.length ?? 0) >= longestBatch) firstWithRoom++;
  }
  return batches;
}
