import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { batchesOf, longestBatch } from '../../src/client/batches.js';
import { unitOf } from '../support/states.js';

const units = fc.array(
  fc.record({ scope: fc.integer({ max: 3, min: 0 }), collector: fc.constantFrom('gnocchi', 'monasca') }),
  { maxLength: 60 },
);

describe('batches', () => {
  test('hold every item once, a unit once each, and items of one scope id in their order', () => {
    fc.assert(
      fc.property(units, (given) => {
        const all = given.map(({ scope, collector }) => unitOf(`scope-${scope}`, collector));
        const batches = batchesOf(all, { unitOnce: true });
        const sent = batches.flat();
        expect(sent.toSorted((a, b) => a - b)).toEqual(all.map((_unit, place) => place));
        for (const batch of batches) {
          const keys = batch.map((place) => JSON.stringify(all[place]));
          expect(new Set(keys).size).toBe(keys.length);
        }
        for (const ofScope of Map.groupBy(sent, (place) => all[place]!.scopeId).values()) {
          expect(ofScope).toEqual(ofScope.toSorted((a, b) => a - b));
        }
      }),
    );
  });

  test('are as few and as full as can be', () => {
    const many = Array.from({ length: 2 * longestBatch + 1 }, (_, place) => unitOf(`scope-${place}`));
    expect(batchesOf(many, { unitOnce: true }).map(({ length }) => length)).toEqual([500, 500, 1]);
    const same = Array.from({ length: 3 }, () => unitOf('one'));
    expect(batchesOf([...same, unitOf('other')], { unitOnce: true })).toEqual([[0, 3], [1], [2]]);
    expect(batchesOf(same, { unitOnce: false })).toEqual([[0, 1, 2]]);
    expect(batchesOf([], { unitOnce: true })).toEqual([]);
  });

  test('keep the order of a scope id when the batch it is in is full', () => {
    const filler = Array.from({ length: longestBatch - 1 }, (_, place) => unitOf(`scope-${place}`));
    const [, second] = batchesOf([unitOf('one'), ...filler, unitOf('one', 'monasca'), unitOf('two')], {
      unitOnce: true,
    });
    expect(second).toEqual([longestBatch, longestBatch + 1]);
  });
});
