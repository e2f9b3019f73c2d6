import { describe, expect, test } from '@jest/globals';
import { decideAdvance, type AdvanceOutcome } from '../../src/scope-state/advance.rules.js';
import { storedState, unitOf } from '../support/states.js';

const early = '2026-01-01T00:00:00Z';
const middle = '2026-01-01T01:00:00Z';
const late = '2026-01-01T02:00:00Z';
const future = '2026-02-01T00:00:00.000001Z';
const now = Temporal.Instant.from('2026-02-01T00:00:00Z');

type Stored = { at: string; active?: boolean; moved?: boolean } | undefined;

/** stored, asked for, expected (absent: undefined) and what DESIGN.md 2.3 says */
const table: [string, Stored, string, string | null | undefined, AdvanceOutcome][] = [
  ['the timestamp is stored already', { at: middle }, middle, undefined, 'UNCHANGED'],
  ['it is stored already, whatever was expected', { at: middle }, middle, early, 'UNCHANGED'],
  ['it is stored already in an inactive row', { at: middle, active: false }, middle, undefined, 'UNCHANGED'],
  [
    'it is stored already after an operator moved it',
    { at: middle, moved: true },
    middle,
    undefined,
    'UNCHANGED',
  ],
  ['it is stored already and lies in the future', { at: future }, future, undefined, 'UNCHANGED'],
  ['it lies in the future', { at: early }, future, early, 'IN_FUTURE'],
  ['it lies in the future and the row is inactive', { at: early, active: false }, future, early, 'IN_FUTURE'],
  ['it lies in the future and there is no row', undefined, future, undefined, 'IN_FUTURE'],
  ['it is the very moment that the clock shows', { at: early }, now.toString(), early, 'ADVANCED'],
  ['there is no row and an instant was expected', undefined, middle, early, 'STALE'],
  ['there is no row and nothing was expected', undefined, middle, undefined, 'CREATED'],
  ['there is no row and none was expected', undefined, middle, null, 'CREATED'],
  ['the row is inactive', { at: early, active: false }, middle, early, 'INACTIVE'],
  [
    'the row is inactive and another state was expected',
    { at: early, active: false },
    middle,
    late,
    'INACTIVE',
  ],
  [
    'the row is inactive and an operator moved it',
    { at: early, active: false, moved: true },
    middle,
    undefined,
    'INACTIVE',
  ],
  ['no state was expected', { at: early }, middle, null, 'STALE'],
  ['another state was expected', { at: early }, late, middle, 'STALE'],
  ['another state was expected and it would go back', { at: middle }, early, late, 'STALE'],
  ['an operator moved it and nothing was expected', { at: early, moved: true }, middle, undefined, 'STALE'],
  ['an operator moved it and it would go back', { at: late, moved: true }, middle, undefined, 'STALE'],
  ['an operator moved it to what was expected', { at: early, moved: true }, middle, early, 'ADVANCED'],
  ['it would go back', { at: middle }, early, undefined, 'REGRESSION'],
  ['it would go back from what was expected', { at: middle }, early, middle, 'REGRESSION'],
  ['it goes on', { at: early }, middle, undefined, 'ADVANCED'],
  ['it goes on from what was expected', { at: early }, middle, early, 'ADVANCED'],
];

describe('an advance, when', () => {
  test.each(table)('%s', (_name, stored, asked, expected, outcome) => {
    const row =
      stored &&
      storedState({
        lastProcessedTimestamp: Temporal.Instant.from(stored.at),
        active: stored.active ?? true,
        movedByOperator: stored.moved ?? false,
      });
    const advance = {
      unit: unitOf('a'),
      lastProcessedTimestamp: Temporal.Instant.from(asked),
      expected: typeof expected === 'string' ? Temporal.Instant.from(expected) : expected,
    };
    expect(decideAdvance(row, advance, now)).toBe(outcome);
  });
});
