import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SequenceOrder, type Range } from '../../src/live/sequence-order.rules.js';

interface Entry {
  sequence: bigint;
}
const entry = (sequence: number): Entry => ({ sequence: BigInt(sequence) });
const numbers = (entries: Entry[]) => entries.map(({ sequence }) => Number(sequence));

describe('a missing number', () => {
  test('holds back what comes after it while one of its holders goes on', () => {
    const order = new SequenceOrder<Entry>(0n);
    order.take([entry(1), entry(3), entry(4)], true);
    expect(order.note(['a', 'b'])).toBe(false);
    expect(numbers(order.release())).toEqual([1]);
    order.take([], true);
    expect(order.note(['b', 'c'])).toBe(false);
    expect([numbers(order.release()), order.settled]).toEqual([[], 1n]);
  });

  test('comes in its place', () => {
    const order = new SequenceOrder<Entry>(0n);
    order.take([entry(2)], true);
    order.note(['a']);
    order.take([entry(1), entry(3)], true);
    order.note([]);
    expect([numbers(order.release()), order.settled]).toEqual([[1, 2, 3], 3n]);
  });

  test('is waited for once more after its last holder has ended, then given up', () => {
    const order = new SequenceOrder<Entry>(0n);
    order.take([entry(2)], true);
    order.note(['a']);
    order.take([], true);
    expect(order.note(['b'])).toBe(true); // a may have committed between the reading and the look at the holders
    expect(numbers(order.release())).toEqual([]);
    order.take([], true);
    expect(numbers(order.release())).toEqual([2]);
    expect(order.hasGaps).toBe(false);
  });

  test('is not held up by transactions that came later', () => {
    const order = new SequenceOrder<Entry>(0n);
    order.take([entry(2)], true);
    order.note([]);
    order.take([entry(4)], true);
    expect(numbers(order.release())).toEqual([2]);
    order.note(['late']);
    expect([numbers(order.release()), order.settled]).toEqual([[], 2n]);
  });

  test('may still come from a transaction that was prepared meanwhile', () => {
    const order = new SequenceOrder<Entry>(0n);
    order.take([entry(2)], true);
    order.note(['3/7']);
    order.take([], true);
    expect(order.note(['-1/812'])).toBe(false);
    order.take([entry(1)], true);
    expect(numbers(order.release())).toEqual([1, 2]);
  });
});

test('a reading that was cut off says nothing about what lies beyond it', () => {
  const order = new SequenceOrder<Entry>(0n);
  order.take([entry(6)], true);
  order.note([]);
  order.take([entry(1), entry(3)], false);
  expect(numbers(order.release())).toEqual([1, 3]);
  order.take([entry(5)], true);
  expect(numbers(order.release())).toEqual([5, 6]);
});

test('a million numbers that were rolled back are one range', () => {
  const order = new SequenceOrder<Entry>(0n);
  order.take([entry(1_000_001)], true);
  expect(order.wanted()).toHaveLength(2);
  order.note([]);
  order.take([], true);
  expect([numbers(order.release()), order.settled]).toEqual([[1_000_001], 1_000_001n]);
});

test('what waits behind a gap is bounded: then only the gap is read', () => {
  const order = new SequenceOrder<Entry>(0n);
  order.take(
    Array.from({ length: 6_000 }, (_, place) => entry(place + 2)),
    true,
  );
  order.note(['a']);
  expect(order.wanted()).toEqual([{ from: 1n, to: 1n }]);
});

/** A database of which only this is known: who has taken which numbers, and what has become of them. */
class MakeBelieve {
  private last = 0;
  private readonly open = new Map<string, number[]>();
  readonly committed: number[] = [];
  private visible: number[] = [];

  begin(name: string): void {
    if (!this.open.has(name)) this.open.set(name, []);
  }
  take(name: string, count: number): void {
    for (let n = 0; n < count; n++) this.open.get(name)?.push(++this.last);
  }
  end(name: string, commits: boolean): void {
    if (commits) this.committed.push(...(this.open.get(name) ?? []));
    this.open.delete(name);
  }
  snapshot(): void {
    this.visible = this.committed.toSorted((a, b) => a - b);
  }
  rows(ranges: Range[], limit: number): Entry[] {
    return this.visible
      .filter((n) => ranges.some(({ from, to }) => n >= from && n <= to))
      .slice(0, limit)
      .map(entry);
  }
  holders(): string[] {
    return [...this.open.keys()];
  }
}

const transactions = ['a', 'b', 'c', 'd'];
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('begin' as const), name: fc.constantFrom(...transactions) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('take' as const),
      name: fc.constantFrom(...transactions),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      name: fc.constantFrom(...transactions),
      commits: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('read' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function act(
  database: MakeBelieve,
  life: Map<string, number>,
  action: Exclude<Step, { kind: 'read' }>,
): void {
  // Each life of a transaction has its own name, as virtual transaction ids do.
  const name = `${action.name}/${life.get(action.name) ?? 0}`;
  if (action.kind === 'begin') database.begin(name);
  if (action.kind === 'take') database.take(name, action.count);
  if (action.kind === 'end') {
    database.end(name, action.commits);
    life.set(action.name, (life.get(action.name) ?? 0) + 1);
  }
}

test('however transactions commit, roll back and stay open: every committed number once, in order', () => {
  const scenario = fc.array(
    fc.record({ step, between: fc.array(step, { maxLength: 3 }), limit: fc.integer({ min: 1, max: 6 }) }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(scenario, (steps) => {
      const database = new MakeBelieve();
      const life = new Map<string, number>();
      const order = new SequenceOrder<Entry>(0n);
      const released: number[] = [];
      const read = (between: readonly Step[], limit: number) => {
        database.snapshot();
        const rows = database.rows(order.wanted(), limit);
        // What others do between the reading and the look at the holders.
        for (const action of between) if (action.kind !== 'read') act(database, life, action);
        order.take(rows, rows.length < limit);
        order.note(database.holders());
        released.push(...numbers(order.release()));
      };
      for (const { step: action, between, limit } of steps) {
        if (action.kind === 'read') read(between, limit);
        else act(database, life, action);
        expect(released).toEqual(released.toSorted((a, b) => a - b));
        expect(released.every((n) => database.committed.includes(n))).toBe(true);
        const passed = database.committed.filter((n) => n <= Number(order.settled));
        expect(passed.every((n) => released.includes(n))).toBe(true);
      }
      for (const name of database.holders()) database.end(name, true);
      for (let round = 0; round < 200; round++) read([], 3);
      expect(released).toEqual(database.committed.toSorted((a, b) => a - b));
    }),
    { numRuns: 400 },
  );
});
