import { describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { planCloud } from '../../src/demo/cloud.rules.js';
import { isDemoId } from '../../src/demo/demo-id.rules.js';
import { biteOf, paceOf, slicesOf } from '../../src/demo/pace.rules.js';

describe('the cloud', () => {
  const cloud = planCloud(1, 2000);
  const shareOf = (units: unknown[]) => units.length / cloud.units.length;

  test('is the same for the same seed, and another one for another', () => {
    expect(planCloud(1, 2000)).toEqual(cloud);
    const scopeIds = new Set(cloud.units.map(({ scopeId }) => scopeId));
    expect(planCloud(2, 2000).units.filter(({ scopeId }) => scopeIds.has(scopeId))).toEqual([]);
  });

  test('has every kind of state in about the share that is promised', () => {
    const { units, legacy, scopes } = cloud;
    expect(legacy.length / scopes).toBeCloseTo(0.05, 1.5);
    expect(shareOf(units.filter(({ active }) => !active))).toBeCloseTo(0.03, 1.5);
    expect(shareOf(units.filter(({ straggles }) => straggles))).toBeCloseTo(0.03, 1.5);
    expect(shareOf(units.filter(({ scopeKey }) => scopeKey === 'namespace'))).toBeCloseTo(0.17, 1);
    expect(new Set(units.map(({ scopeId }) => scopeId)).size).toBeLessThan(units.length - 200);
  });

  test('has scope ids of its own, which are known again, each once for a unit', () => {
    const ids = [...cloud.units, ...cloud.legacy].map(({ scopeId }) => scopeId);
    expect(ids.filter((id) => !isDemoId(id))).toEqual([]);
    const keys = cloud.units.map(({ scopeId, collector }) => `${scopeId}/${collector}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(Array.from({ length: 1000 }, () => randomUUID()).filter(isDemoId)).toEqual([]);
    expect(['', 'a', 'default', 'kube-system'].filter(isDemoId)).toEqual([]);
  });
});

describe('the pace', () => {
  test.each([
    [1, 60_000],
    [10, 6_000],
    [60, 2_000],
  ])('at speed %i makes a round take %i ms', (speed, roundMillis) => {
    expect(paceOf(speed, 3_600_000 / speed).roundMillis).toBe(roundMillis);
  });

  test('never sends more than two batches of 500 a second, however many units', () => {
    for (const units of [1, 10, 999, 2_000, 150_000]) {
      const { size, pauseMillis } = slicesOf(units, paceOf(60, 60_000));
      expect(size).toBeLessThanOrEqual(500);
      expect(pauseMillis).toBeGreaterThanOrEqual(500);
    }
  });

  test('takes large bites of large backlogs', () => {
    expect([0, 1, 20, 21, 744].map(biteOf)).toEqual([1, 1, 1, 2, 38]);
  });
});
