import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LockedStates } from '../../src/scope-state/locked-states.rules.js';
import { isLegacy, type ScopeState } from '../../src/scope-state/scope-state.rules.js';
import { legacyParts, storedState, unitOf } from '../support/states.js';

const now = Temporal.Instant.from('2026-02-01T00:00:00Z');
const at = (hour: number) => Temporal.Instant.from('2026-01-01T00:00:00Z').add({ hours: hour });
const legacyRow = () => storedState({ ...legacyParts });

describe('a batch on locked rows', () => {
  test('gives a legacy row to the first unit that is checked, and to no other', () => {
    const states = new LockedStates([legacyRow()], now);
    expect(states.check(unitOf('a', 'one'))).toMatchObject({
      outcome: 'BACKFILLED',
      state: { version: 2, revision: 2 },
    });
    expect(states.check(unitOf('a', 'two'))).toEqual({ outcome: 'UNKNOWN', state: undefined });
    expect(states.check(unitOf('a', 'one'))).toMatchObject({ outcome: 'FOUND', state: { version: 2 } });
    expect(states.changes()).toMatchObject([
      { before: { version: 1 }, after: { collector: 'one' }, advanced: false },
    ]);
  });

  test('leaves the legacy row to another unit where the unit has a row of its own', () => {
    const states = new LockedStates([legacyRow(), storedState({ id: 2, ...unitOf('a', 'one') })], now);
    expect(states.check(unitOf('a', 'one')).state?.id).toBe(2);
    expect(states.changes()).toEqual([]);
    expect(states.check(unitOf('a', 'two')).state?.id).toBe(1);
  });

  test('writes a claimed and advanced row once, counting it as one change', () => {
    const states = new LockedStates([legacyRow()], now);
    const advance = { unit: unitOf('a'), lastProcessedTimestamp: at(1), expected: undefined };
    expect(states.advance(advance)).toMatchObject({
      outcome: 'ADVANCED',
      backfilled: true,
      state: { version: 2 },
    });
    expect(states.changes()).toMatchObject([{ after: { version: 2, revision: 2 }, advanced: true }]);
  });

  test('does not touch a row of which only some columns are empty', () => {
    const states = new LockedStates([storedState({ ...legacyParts, collector: 'gnocchi' })], now);
    expect(states.check(unitOf('a')).outcome).toBe('UNKNOWN');
    expect(states.changes()).toEqual([]);
  });

  test('takes note that a unit knows of an operator’s move, without raising its version', () => {
    const states = new LockedStates([storedState({ movedByOperator: true })], now);
    expect(states.check(unitOf('a'))).toMatchObject({
      outcome: 'FOUND',
      state: { movedByOperator: false, version: 1 },
    });
    expect(states.changes()).toMatchObject([{ after: { movedByOperator: false, version: 1, revision: 1 } }]);
  });
});

test('a batch does what its items would do one after another', () => {
  const unit = fc.record({ scope: fc.constantFrom('a', 'b'), collector: fc.constantFrom('one', 'two') });
  const item = fc.record({
    unit,
    hour: fc.nat(3),
    expected: fc.option(fc.option(fc.nat(3)), { nil: undefined }),
    check: fc.boolean(),
  });
  const act = (
    states: LockedStates,
    { unit, hour, expected, check }: typeof item extends fc.Arbitrary<infer T> ? T : never,
  ) => {
    const asked = unitOf(unit.scope, unit.collector);
    if (check) return states.check(asked);
    const believed = typeof expected === 'number' ? at(expected) : expected;
    return states.advance({ unit: asked, lastProcessedTimestamp: at(hour), expected: believed });
  };
  fc.assert(
    fc.property(fc.array(item, { maxLength: 8 }), fc.boolean(), (items, withLegacy) => {
      const start = withLegacy ? [legacyRow()] : [];
      const batch = new LockedStates(start, now);
      const together = items.map((each) => act(batch, each));

      let rows: ScopeState[] = start;
      const apart = items.map((each) => {
        const single = new LockedStates(rows, now);
        const result = act(single, each);
        for (const { before, after } of single.changes())
          rows = [...rows.filter((row) => row !== before), after];
        return result;
      });
      expect(together).toEqual(apart);
      expect(rows.filter(isLegacy).length).toBeLessThanOrEqual(start.length);
      const units = rows.map((row) => JSON.stringify([row.scopeId, row.collector]));
      expect(new Set(units).size).toBe(units.length);
    }),
  );
});
