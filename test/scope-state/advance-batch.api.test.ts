import { describe, expect, test } from '@jest/globals';
import { apiDatabases } from '../support/api-databases.js';
import { operations, useStateApi, type AdvanceInput, type StateApi } from '../support/state-api.js';
import { unit, type Unit } from '../support/units.js';

const t1 = '2026-01-01T01:00:00Z';
const t2 = '2026-01-01T02:00:00.000001Z';
const t3 = '2026-01-01T03:00:00Z';
const future = '9000-01-01T00:00:00Z';

interface Step {
  /** which unit of the scope id */
  of?: string;
  to: string;
  expected?: string | null;
  outcome: string;
  backfilled?: true;
  /** where the unit's state stands after it; absent: there is none */
  at?: string;
}

interface Scope {
  name: string;
  row?: { kind: 'exact' | 'legacy'; active?: false };
  /** items of one scope id, in the order given */
  steps: Step[];
}

/** Scopes whose rows, where there are any, stand at t1. */
const scopes: Scope[] = [
  {
    name: 'units of a legacy scope id: the first takes the row, the others stand alone',
    row: { kind: 'legacy' },
    steps: [
      { of: 'a', to: t2, expected: t1, outcome: 'ADVANCED', backfilled: true, at: t2 },
      { of: 'b', to: t2, expected: t1, outcome: 'STALE' },
      { of: 'c', to: t1, expected: null, outcome: 'CREATED', at: t1 },
      { of: 'a', to: t3, outcome: 'ADVANCED', at: t3 },
    ],
  },
  {
    name: 'a refused unit leaves the legacy row to the next one',
    row: { kind: 'legacy' },
    steps: [
      { of: 'a', to: t2, expected: t3, outcome: 'STALE', at: t1 },
      { of: 'b', to: '2025-01-01T00:00:00Z', outcome: 'REGRESSION', at: t1 },
      { of: 'c', to: t1, outcome: 'UNCHANGED', backfilled: true, at: t1 },
      { of: 'a', to: t2, outcome: 'CREATED', at: t2 },
    ],
  },
  {
    name: 'an inactive legacy row refuses every unit',
    row: { kind: 'legacy', active: false },
    steps: [
      { of: 'a', to: t2, outcome: 'INACTIVE', at: t1 },
      { of: 'b', to: t2, outcome: 'INACTIVE', at: t1 },
    ],
  },
  {
    name: 'one unit, up',
    row: { kind: 'exact' },
    steps: [
      { to: t2, expected: t1, outcome: 'ADVANCED', at: t2 },
      { to: t3, expected: t2, outcome: 'ADVANCED', at: t3 },
    ],
  },
  {
    name: 'one unit, up and down',
    row: { kind: 'exact' },
    steps: [
      { to: t3, outcome: 'ADVANCED', at: t3 },
      { to: t2, outcome: 'REGRESSION', at: t3 },
      { to: t3, outcome: 'UNCHANGED', at: t3 },
    ],
  },
  {
    name: 'a new unit, twice',
    steps: [
      { to: t1, outcome: 'CREATED', at: t1 },
      { to: t2, outcome: 'ADVANCED', at: t2 },
    ],
  },
  {
    name: 'a new unit in the future',
    steps: [
      { to: future, outcome: 'IN_FUTURE' },
      { to: t1, expected: t1, outcome: 'STALE' },
    ],
  },
  {
    name: 'an inactive unit',
    row: { kind: 'exact', active: false },
    steps: [{ to: t2, outcome: 'INACTIVE', at: t1 }],
  },
];
const stepsOfAll = scopes.flatMap(({ steps }) => steps).length;

interface Item {
  input: AdvanceInput;
  step: Step;
}

describe.each(apiDatabases)('on $name', ({ create }) => {
  const api = useStateApi(create);

  test.each(scopes)('$name', async (scope) => {
    await expectOutcomes(api, await itemsOf(api, scope));
  });

  test('a batch of 1,000 mixed items gives each its own outcome, those of a scope id in the order given', async () => {
    const queues: Item[][] = [];
    for (let round = 0; round < 1000 / stepsOfAll - 1; round++) {
      for (const scope of scopes) queues.push(await itemsOf(api, scope));
    }
    const count = queues.flat().length;
    for (let n = count; n < 1000; n++)
      queues.push(await itemsOf(api, { name: '', steps: scopes[5]!.steps.slice(0, 1) }));
    // Round robin: between two items of a scope id lie those of all others.
    const longest = Math.max(...queues.map((queue) => queue.length));
    const items = Array.from({ length: longest }, (_, turn) =>
      queues.flatMap((queue) => queue.slice(turn, turn + 1)),
    ).flat();
    expect(items).toHaveLength(1000);
    await expectOutcomes(api, items);
  });

  test('an empty batch is a success', async () => {
    expect(await api.advanceAll([])).toEqual([]);
  });

  test.each<[string, number, AdvanceInput, string]>([
    ['1,001 items', 1001, { unit: unit(), lastProcessedTimestamp: t2 }, 'input.advances'],
    [
      'a bad text',
      4,
      { unit: unit({ scopeKey: 'a\u0000' }), lastProcessedTimestamp: t2 },
      'input.advances[3].unit.scopeKey',
    ],
    [
      'a bad time',
      4,
      { unit: unit(), lastProcessedTimestamp: 'infinity' },
      'input.advances[3].lastProcessedTimestamp',
    ],
    [
      'a bad guard',
      4,
      { unit: unit(), lastProcessedTimestamp: t2, expected: 'now' },
      'input.advances[3].expected',
    ],
  ])('a batch with %s is refused as a whole, and nothing is done', async (_name, count, last, field) => {
    const advances = Array.from({ length: count - 1 }, () => ({ unit: unit(), lastProcessedTimestamp: t2 }));
    await api.insertLegacy(advances[0]!.unit.scopeId, t1);
    await api.insertExact(advances[1]!.unit, t1);
    const rows = await api.rows();
    const { data, errors } = await api.server.ask(operations.advanceAll, {
      input: { advances: [...advances, last] },
    });
    expect(data ?? null).toBeNull();
    expect(errors).toHaveLength(1);
    expect(errors![0]!.extensions.code).toBe('BAD_USER_INPUT');
    expect(errors![0]!.message).toContain(field);
    expect(await api.rows()).toEqual(rows);
    expect((await api.advanceAll(advances.slice(0, 3))).map(({ outcome }) => outcome)).toEqual([
      'ADVANCED',
      'ADVANCED',
      'CREATED',
    ]);
  });
});

/** The scope's row, of a new scope id, and its items. */
async function itemsOf(api: StateApi, { row, steps }: Scope): Promise<Item[]> {
  const { scopeId } = unit();
  const unitOf = (name = 'gnocchi'): Unit => unit({ scopeId, collector: name });
  const more = { active: row?.active ?? true };
  if (row?.kind === 'exact') await api.insertExact(unitOf(), t1, more);
  if (row?.kind === 'legacy') await api.insertLegacy(scopeId, t1, more);
  return steps.map((step) => {
    const input = { unit: unitOf(step.of), lastProcessedTimestamp: step.to };
    return { step, input: step.expected === undefined ? input : { ...input, expected: step.expected } };
  });
}

async function expectOutcomes(api: StateApi, items: Item[]): Promise<void> {
  const results = await api.advanceAll(items.map(({ input }) => input));
  expect(
    results.map(({ outcome, backfilled, scopeState }) => ({
      outcome,
      backfilled,
      at: scopeState?.lastProcessedTimestamp,
    })),
  ).toEqual(items.map(({ step: { outcome, backfilled = false, at } }) => ({ outcome, backfilled, at })));

  // The last answer on a unit is what stands in the table.
  const last = new Map(
    items.map(({ input }, place) => [JSON.stringify(input.unit), results[place]!.scopeState]),
  );
  const answered = [...last.values()].filter((state) => state !== null && !state.legacy);
  const stored = await api.nodesOf({ scopeIds: items.map(({ input }) => input.unit.scopeId) });
  const exact = stored.filter((state) => !state.legacy);
  const byId = (one: { id: string }, other: { id: string }) => (one.id < other.id ? -1 : 1);
  expect(answered.sort(byId)).toEqual(exact.sort(byId));
}
