import { beforeAll, describe, expect, test } from '@jest/globals';
import { rowColumns, toScopeState, type ScopeStateRow } from '../../src/scope-state/row.sql.js';
import type { ScopeState } from '../../src/scope-state/scope-state.rules.js';
import { plainState, usePlainAdvances } from '../support/plain-advances.js';
import { postgresMajors } from '../support/test-database.js';
import { unit } from '../support/units.js';

describe.each(postgresMajors)('look-ups on PostgreSQL %i', (major) => {
  const used = usePlainAdvances(major);
  const scope = unit();
  const kinds = [
    { has: 'a row', one: unit(), finds: 'its own' },
    { has: 'a row beside a legacy one', one: unit(), finds: 'its own' },
    { has: 'a legacy row', one: unit(), finds: 'a legacy row' },
    { has: 'a legacy row beside one of another collector', one: scope, finds: 'a legacy row' },
    { has: 'a row beside that', one: unit({ ...scope, collector: 'another' }), finds: 'its own' },
    { has: 'a row of another fetcher', one: unit(), finds: 'none' },
    { has: 'no row', one: unit(), finds: 'none' },
  ] as const;
  const subsets = Array.from({ length: 2 ** kinds.length }, (_, bits) =>
    kinds.filter((_kind, place) => bits & (1 << place)),
  );

  beforeAll(async () => {
    for (const { has, one, finds } of kinds) {
      if (finds === 'its own') await used.insert(one);
      if (has.includes('legacy')) await used.insert(one, { legacy: true });
      if (has === 'a row of another fetcher') await used.insert({ ...one, fetcher: 'another' });
    }
    // No two rows are alike in anything.
    await used.database.writeAsOurs(
      `update cloudkitty_storage_states set version = 100 + id, revision = 200 + id, active = id % 2 = 0,
         moved_by_operator = id % 3 = 0, last_processed_timestamp = timestamp '2026-01-01' + id * interval '1 hour',
         scope_activation_toggle_date = timestamp '2026-02-01' + id * interval '1 microsecond',
         last_advanced_at = case when id % 2 = 1 then timestamp '2026-03-01' + id * interval '1 second' end`,
    );
  });

  const found = (row: ScopeState | undefined) =>
    row ? (row.collector === null ? 'a legacy row' : 'its own') : 'none';

  test.each(kinds)('find $finds for a unit that has $has', async ({ one, finds }) => {
    expect(found((await used.states.find(one)).state)).toBe(finds);
  });

  test('tell all that is stored, of one unit alone and of many together', async () => {
    const rows = await used.database.query<ScopeStateRow & Record<string, unknown>>(
      `select ${rowColumns('s')} from cloudkitty_storage_states s`,
    );
    const stored = new Map(rows.map((row) => [row.id, toScopeState(row)]));
    const units = kinds.filter(({ finds }) => finds !== 'none').map(({ one }) => one);
    const alone = await Promise.all(units.map((one) => used.states.find(one)));
    const { states } = await used.states.findEach(units);
    for (const state of [...alone.map((each) => each.state), ...states])
      expect(plainState(state)).toEqual(stored.get(state!.id));
    expect(new Set(states.map((state) => state!.id)).size).toBe(units.length);
  });

  test('find together what each finds alone', async () => {
    const alone = new Map<unknown, unknown>();
    for (const { one } of kinds) alone.set(one, plainState((await used.states.find(one)).state));
    for (const subset of subsets) {
      for (const together of [subset, [...subset, ...subset.slice(0, 1)]]) {
        const { states } = await used.states.findEach(together.map(({ one }) => one));
        const seen = states.map(plainState);
        expect(seen).toEqual(together.map(({ one }) => alone.get(one)));
      }
    }
  });
});
