import { describe, expect, test } from '@jest/globals';
import { apiDatabases } from '../support/api-databases.js';
import { operations, useStateApi, type AdvanceInput } from '../support/state-api.js';
import { unit } from '../support/units.js';

const stored = '2026-01-01T00:00:00.000005Z';
const aMicrosecondEarlier = '2026-01-01T00:00:00.000004Z';
const aMicrosecondLater = '2026-01-01T00:00:00.000006Z';
const later = '2026-02-01T00:00:00Z';
const future = '9000-01-01T00:00:00Z';
const farFuture = '9500-01-01T00:00:00Z';

interface Case {
  /** what is stored: `stored`, active, not moved by an operator, unless told otherwise */
  row?: { at?: string; active?: false; reset?: true };
  asked: string;
  expected?: string | null;
  outcome: string;
}

/** DESIGN.md 2.3 for a row that is there, line by line; within a line what lies lower in the table is true as well. */
const table: [name: string, given: Case][] = [
  ['stored = T', { asked: stored, outcome: 'UNCHANGED' }],
  ['stored = T in another zone', { asked: '2025-12-31T20:30:00.000005-03:30', outcome: 'UNCHANGED' }],
  ['stored = T in the future', { row: { at: future }, asked: future, outcome: 'UNCHANGED' }],
  ['stored = T on an inactive row', { row: { active: false }, asked: stored, outcome: 'UNCHANGED' }],
  ['stored = T, "no state yet" expected', { asked: stored, expected: null, outcome: 'UNCHANGED' }],
  ['stored = T, another expected', { asked: stored, expected: later, outcome: 'UNCHANGED' }],
  ['stored = T after a reset', { row: { reset: true }, asked: stored, outcome: 'UNCHANGED' }],

  ['T in the future', { asked: future, outcome: 'IN_FUTURE' }],
  ['T in the future, as expected', { asked: future, expected: stored, outcome: 'IN_FUTURE' }],
  ['T in the future, another expected', { asked: future, expected: later, outcome: 'IN_FUTURE' }],
  ['T in the future, "no state yet" expected', { asked: future, expected: null, outcome: 'IN_FUTURE' }],
  ['T in the future on an inactive row', { row: { active: false }, asked: future, outcome: 'IN_FUTURE' }],
  ['T in the future after a reset', { row: { reset: true }, asked: future, outcome: 'IN_FUTURE' }],
  ['T in the future, stored further', { row: { at: farFuture }, asked: future, outcome: 'IN_FUTURE' }],

  ['an inactive row', { row: { active: false }, asked: later, outcome: 'INACTIVE' }],
  [
    'an inactive row, guarded',
    { row: { active: false }, asked: later, expected: stored, outcome: 'INACTIVE' },
  ],
  [
    'an inactive row, another expected',
    { row: { active: false }, asked: later, expected: later, outcome: 'INACTIVE' },
  ],
  [
    'an inactive row, "no state yet" expected',
    { row: { active: false }, asked: later, expected: null, outcome: 'INACTIVE' },
  ],
  ['an inactive row, reset', { row: { active: false, reset: true }, asked: later, outcome: 'INACTIVE' }],
  [
    'an inactive row, T < stored',
    { row: { active: false }, asked: aMicrosecondEarlier, outcome: 'INACTIVE' },
  ],

  ['another expected', { asked: later, expected: aMicrosecondEarlier, outcome: 'STALE' }],
  ['T itself expected', { asked: later, expected: later, outcome: 'STALE' }],
  ['"no state yet" expected', { asked: later, expected: null, outcome: 'STALE' }],
  [
    'another expected, T < stored',
    { asked: aMicrosecondEarlier, expected: aMicrosecondEarlier, outcome: 'STALE' },
  ],
  [
    'another expected after a reset',
    { row: { reset: true }, asked: later, expected: later, outcome: 'STALE' },
  ],

  ['unguarded after a reset', { row: { reset: true }, asked: later, outcome: 'STALE' }],
  [
    'unguarded after a reset, T < stored',
    { row: { reset: true }, asked: aMicrosecondEarlier, outcome: 'STALE' },
  ],

  ['T < stored', { asked: aMicrosecondEarlier, outcome: 'REGRESSION' }],
  ['T < stored, guarded', { asked: aMicrosecondEarlier, expected: stored, outcome: 'REGRESSION' }],
  ['T < stored in the future', { row: { at: future }, asked: later, outcome: 'REGRESSION' }],
  [
    'T < stored after a reset, guarded',
    { row: { reset: true }, asked: aMicrosecondEarlier, expected: stored, outcome: 'REGRESSION' },
  ],

  ['T > stored', { asked: aMicrosecondLater, outcome: 'ADVANCED' }],
  ['T > stored, guarded', { asked: later, expected: stored, outcome: 'ADVANCED' }],
  [
    'T > stored, guarded in another zone',
    { asked: later, expected: '2026-01-01T05:45:00.000005+05:45', outcome: 'ADVANCED' },
  ],
  [
    'T > stored after a reset, guarded',
    { row: { reset: true }, asked: later, expected: stored, outcome: 'ADVANCED' },
  ],
];

describe.each(apiDatabases)('on $name', ({ create }) => {
  const api = useStateApi(create);

  describe.each(['exact', 'legacy'] as const)('with an %s row', (kind) => {
    test.each(table)('%s', async (_name, { row = {}, asked, expected, outcome }) => {
      const owner = unit();
      const at = row.at ?? stored;
      const first = row.reset ? '2025-06-01T00:00:00Z' : at;
      const active = row.active ?? true;
      if (kind === 'exact') await api.insertExact(owner, first, { active });
      else await api.insertLegacy(owner.scopeId, first, { active });
      if (row.reset) await api.reset((await api.find(owner)).id, at);
      const before = await api.find(owner);
      expect(before.lastProcessedTimestamp).toBe(at);
      const rows = await api.rows(owner.scopeId);

      const input: AdvanceInput = { unit: owner, lastProcessedTimestamp: asked };
      const start = await api.clock();
      const result = await api.advance(expected === undefined ? input : { ...input, expected });
      const end = await api.clock();

      const taken = kind === 'legacy' && ['ADVANCED', 'UNCHANGED'].includes(outcome);
      expect({ ...result, scopeState: undefined }).toEqual({ outcome, backfilled: taken });
      expect(result.scopeState).toEqual(await api.find(owner));
      if (outcome !== 'ADVANCED' && !taken) {
        expect(await api.rows(owner.scopeId)).toEqual(rows); // byte for byte, and written by nobody
        return;
      }
      const { updatedAt, lastAdvancedAt, coveredUntil: _, ...state } = result.scopeState;
      const { updatedAt: _1, lastAdvancedAt: _2, coveredUntil: _3, ...old } = before;
      expect(state).toEqual({
        ...old,
        ...owner,
        legacy: false,
        version: before.version + 1, // backfill and advance together are one change
        lastProcessedTimestamp: outcome === 'ADVANCED' ? asked : at,
      });
      expect(isBetween(updatedAt, start, end)).toBe(true);
      if (outcome === 'ADVANCED') expect(lastAdvancedAt).toBe(updatedAt);
      else expect(lastAdvancedAt).toBeNull();
      expect(await api.rows(owner.scopeId)).toHaveLength(1);
    });
  });

  test.each<[string, Omit<AdvanceInput, 'unit'>, string]>([
    ['expected absent', { lastProcessedTimestamp: later }, 'CREATED'],
    ['"no state yet" expected', { lastProcessedTimestamp: later, expected: null }, 'CREATED'],
    ['an instant expected', { lastProcessedTimestamp: later, expected: stored }, 'STALE'],
    ['T itself expected', { lastProcessedTimestamp: later, expected: later }, 'STALE'],
    ['T in the future', { lastProcessedTimestamp: future }, 'IN_FUTURE'],
    [
      'T in the future, "no state yet" expected',
      { lastProcessedTimestamp: future, expected: null },
      'IN_FUTURE',
    ],
    [
      'T in the future, an instant expected',
      { lastProcessedTimestamp: future, expected: stored },
      'IN_FUTURE',
    ],
  ])('without a row: %s', async (_name, input, outcome) => {
    const owner = unit();
    const start = await api.clock();
    const { scopeState, ...result } = await api.advance({ unit: owner, ...input });
    const end = await api.clock();
    expect(result).toEqual({ outcome, backfilled: false });
    expect(await api.find(owner)).toEqual(scopeState);
    if (outcome !== 'CREATED') {
      expect(scopeState).toBeNull();
      return;
    }
    expect(scopeState).toMatchObject({
      ...owner,
      legacy: false,
      active: true,
      version: 1,
      lastProcessedTimestamp: later,
    });
    expect(isBetween(scopeState.updatedAt, start, end)).toBe(true);
    expect(scopeState.scopeActivationToggleDate).toBe(scopeState.updatedAt);
  });

  test('a retry after a lost answer is UNCHANGED and changes nothing', async () => {
    const owner = unit();
    const created = await api.advance({ unit: owner, lastProcessedTimestamp: stored, expected: null });
    const rows = await api.rows(owner.scopeId);
    const again = await api.advance({ unit: owner, lastProcessedTimestamp: stored, expected: null });
    expect(again).toEqual({ ...created, outcome: 'UNCHANGED' });
    expect(await api.rows(owner.scopeId)).toEqual(rows);
  });

  test('T is held against the database’s clock to the microsecond: its own reading is not in the future', async () => {
    const now = await api.clock();
    const owner = unit();
    expect(await api.advance({ unit: owner, lastProcessedTimestamp: now.toString() })).toMatchObject({
      outcome: 'CREATED',
      scopeState: { lastProcessedTimestamp: now.toString() },
    });
    const soon = now.add({ minutes: 10 }).toString();
    expect(await api.advance({ unit: owner, lastProcessedTimestamp: soon })).toMatchObject({
      outcome: 'IN_FUTURE',
    });
  });

  test('each change counts in the version once: created, backfilled, advanced', async () => {
    const owner = unit();
    await api.insertLegacy(owner.scopeId, stored);
    const versions = [
      await api.advance({ unit: owner, lastProcessedTimestamp: stored }), // backfill alone
      await api.advance({ unit: owner, lastProcessedTimestamp: stored }), // nothing
      await api.advance({ unit: owner, lastProcessedTimestamp: later }),
      await api.advance({ unit: owner, lastProcessedTimestamp: stored }), // refused
      await api.advance({ unit: owner, lastProcessedTimestamp: '2026-02-01T01:00:00Z' }),
    ].map(({ outcome, scopeState }) => [outcome, scopeState.version]);
    expect(versions).toEqual([
      ['UNCHANGED', 2],
      ['UNCHANGED', 2],
      ['ADVANCED', 3],
      ['REGRESSION', 3],
      ['ADVANCED', 4],
    ]);
  });

  test('an exact row is advanced and leaves the legacy row to another unit', async () => {
    const owner = unit();
    await api.insertLegacy(owner.scopeId, stored);
    const [legacy] = await api.rows(owner.scopeId);
    await api.insertExact(owner, aMicrosecondEarlier);
    expect(await api.advance({ unit: owner, lastProcessedTimestamp: later })).toMatchObject({
      outcome: 'ADVANCED',
      backfilled: false,
    });
    expect((await api.rows(owner.scopeId))[0]).toEqual(legacy);
    const other = { ...owner, collector: 'monasca' };
    expect(await api.advance({ unit: other, lastProcessedTimestamp: later, expected: stored })).toMatchObject(
      { outcome: 'ADVANCED', backfilled: true },
    );
  });

  test.each(['reset', 'rekeyed'])(
    'a unit whose state was %s is STALE until it is checked, and then advances unguarded',
    async (how) => {
      const owner = unit();
      await api.insertExact(owner, later);
      const { id } = await api.find(owner);
      const moved = how === 'reset' ? owner : { ...owner, collector: 'prometheus' };
      if (how === 'reset') await api.reset(id, stored);
      else await api.server.data(operations.rekey, { input: { id, unit: moved, reason: 'a test' } });

      const at = (await api.find(moved)).lastProcessedTimestamp;
      const input = { unit: moved, lastProcessedTimestamp: '2026-03-01T00:00:00Z' };
      expect((await api.advance(input)).outcome).toBe('STALE');
      expect((await api.advance({ ...input, lastProcessedTimestamp: at })).outcome).toBe('UNCHANGED');
      expect((await api.advance(input)).outcome).toBe('STALE');
      expect(await api.check(moved)).toMatchObject({ outcome: 'FOUND', scopeState: { id } });
      expect(await api.advance(input)).toMatchObject({ outcome: 'ADVANCED', scopeState: { id } });
    },
  );

  test('a guarded advance tells that the collector knows of the reset: the next one may go unguarded', async () => {
    const owner = unit();
    await api.insertExact(owner, later);
    await api.reset((await api.find(owner)).id, stored);
    const advances: AdvanceInput[] = [
      { unit: owner, lastProcessedTimestamp: later },
      { unit: owner, lastProcessedTimestamp: aMicrosecondLater, expected: stored },
      { unit: owner, lastProcessedTimestamp: later },
    ];
    const outcomes: string[] = [];
    for (const advance of advances) outcomes.push((await api.advance(advance)).outcome);
    expect(outcomes).toEqual(['STALE', 'ADVANCED', 'ADVANCED']);
  });
});

function isBetween(text: string, start: Temporal.Instant, end: Temporal.Instant): boolean {
  const instant = Temporal.Instant.from(text);
  return Temporal.Instant.compare(start, instant) <= 0 && Temporal.Instant.compare(instant, end) <= 0;
}
