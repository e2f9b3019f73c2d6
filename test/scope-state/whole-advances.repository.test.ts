import { describe, expect, test } from '@jest/globals';
import type { CollectionUnit } from '../../src/collection-unit/collection-unit.rules.js';
import type { Advance } from '../../src/scope-state/advance.rules.js';
import { advancing, instant, plainState, stored, usePlainAdvances } from '../support/plain-advances.js';
import { postgresMajors } from '../support/test-database.js';

const hourLater = '2026-01-01T01:00:00Z';

describe.each(postgresMajors)('advances that are one whole, on PostgreSQL %i', (major) => {
  const used = usePlainAdvances(major);

  test('are done together, at one time, in the order given', async () => {
    const units = (await used.inserted(20)).reverse();
    const asked = units.map((one, place) =>
      advancing(one, `2026-01-01T01:00:${String(place).padStart(2, '0')}Z`, place % 2 ? stored : undefined),
    );
    const done = (await used.advanceAll(asked))!;
    const rows = await used.statesOf(units);
    expect(done.results.map(({ state }) => plainState(state))).toEqual(rows);
    expect(rows.map((row) => [row!.version, String(row!.lastProcessedTimestamp)])).toEqual(
      asked.map((each) => [2, String(each.lastProcessedTimestamp)]),
    );
    expect(new Set(rows.map((row) => String(row!.updatedAt)))).toEqual(new Set([String(done.now)]));
    for (const one of units) {
      expect(await used.entriesOf(one)).toMatchObject([
        { kind: 'ADVANCED', actor: 'a test', old_version: 1 },
      ]);
    }
  });

  const hindrances: [string, (one: CollectionUnit) => Advance | Promise<Advance>][] = [
    ['has no row', (one) => advancing({ ...one, scopeId: `${one.scopeId} else` }, hourLater)],
    ['goes back', (one) => advancing(one, '2025-12-31T23:00:00Z')],
    ['is stored already', (one) => advancing(one, String(stored))],
    ['is in the future', (one) => advancing(one, '2999-01-01T00:00:00Z')],
    ['expects another state', (one) => advancing(one, hourLater, instant('2026-01-01T00:00:00Z'))],
    ['expects none', (one) => ({ ...advancing(one, hourLater), expected: null })],
    [
      'is of an inactive state',
      async (one) => {
        await used.database.query(
          'update cloudkitty_storage_states set active = false where identifier = $1',
          [one.scopeId],
        );
        return advancing(one, hourLater);
      },
    ],
    [
      'is of a state that an operator has moved',
      async (one) => {
        await used.database.writeAsOurs(
          'update cloudkitty_storage_states set moved_by_operator = true where identifier = $1',
          [one.scopeId],
        );
        return advancing(one, hourLater);
      },
    ],
  ];

  test.each(hindrances)('are none of them done where one %s', async (_, hinder) => {
    const units = await used.inserted(3);
    const hindered = await hinder(units[1]!);
    const before = await used.statesOf(units);
    const asked = [advancing(units[0]!, hourLater), hindered, advancing(units[2]!, hourLater)];
    expect(await used.advanceAll(asked)).toBeUndefined();
    expect(await used.statesOf(units)).toEqual(before);
    expect((await Promise.all(units.map((one) => used.entriesOf(one)))).flat()).toEqual([]);
  });

  test('are none of them done where somebody has locked one, or one unit comes twice', async () => {
    const units = await used.inserted(3);
    const other = await used.database.connect();
    await other.query('begin');
    await other.query('select from cloudkitty_storage_states where identifier = $1 for update', [
      units[2]!.scopeId,
    ]);
    expect(await used.advanceAll(units.map((one) => advancing(one, hourLater)))).toBeUndefined();
    await other.query('rollback');
    const twice = [units[0]!, units[1]!, units[0]!].map((one, place) =>
      advancing(one, `2026-01-01T0${place + 1}:00:00Z`),
    );
    expect(await used.advanceAll(twice)).toBeUndefined();
    expect((await used.statesOf(units)).map((row) => row!.version)).toEqual([1, 1, 1]);
  });

  test('are none of them done where the database does a part only', async () => {
    const units = await used.inserted(2);
    await used.database.query(`
      create function keep_one() returns trigger language plpgsql as $$
      begin
        return case when new.identifier = '${units[1]!.scopeId}' then null else new end;
      end $$;
      create trigger keep_one before update on cloudkitty_storage_states for each row execute function keep_one()`);
    const asked = units.map((one) => advancing(one, '2026-01-01T03:00:00Z'));
    const done = used.advanceAll(asked);
    await expect(done).rejects.toThrow('division by zero');
    await used.database.query('drop trigger keep_one on cloudkitty_storage_states; drop function keep_one()');
    expect((await used.statesOf(units)).map((state) => state!.version)).toEqual([1, 1]);
  });
});
