import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import type { Client } from 'pg';
import { allUnits } from '../../src/caller/grant.rules.js';
import type { CollectionUnit } from '../../src/collection-unit/collection-unit.rules.js';
import { openDatabase, type Database } from '../../src/database/database.js';
import { createLog } from '../../src/log.js';
import { LockedStatesRepository } from '../../src/scope-state/locked-states.repository.js';
import type { Advanced, Checked, LockedStates } from '../../src/scope-state/locked-states.rules.js';
import { ScopeStateEntity } from '../../src/scope-state/scope-state.entity.js';
import { Line } from '../../src/database/line.js';
import { SelectionRepository } from '../../src/scope-state/selection.repository.js';
import { createTestDatabase, postgresMajors, type TestDatabase } from '../support/test-database.js';
import { scaled, unit } from '../support/units.js';

type Decide = (locked: LockedStates) => (Checked | Advanced)[];
const author = {
  caller: 'a test',
  requestId: 'a request',
  reason: 'a test',
  operation: crypto.randomUUID(),
};
const scopeUnit = (scopeId: string, collector = 'gnocchi') => unit({ scopeId, collector });

describe.each(postgresMajors)('on PostgreSQL %i', (major) => {
  let database: TestDatabase;
  let opened: Database;
  let states: LockedStatesRepository;
  let selections: SelectionRepository;
  let other: Client;

  beforeAll(async () => {
    database = await createTestDatabase({ major });
    opened = await openDatabase({
      url: database.url,
      entities: [ScopeStateEntity],
      migrationsFolder: join(process.cwd(), 'dist/migrations'),
      log: createLog('silent'),
    });
    states = new LockedStatesRepository(opened.pool);
    selections = new SelectionRepository(
      opened.pool,
      new Line({ atOnce: 4, mostWaiting: 100, longestWaitMillis: 30_000 }),
    );
    other = await database.connect();
  });

  afterAll(async () => {
    await opened.close();
    await database.drop();
  });

  async function insert(
    scopeId: string,
    parts: (string | null)[] = [null, null, null],
    micros = 1,
  ): Promise<number> {
    const { rows } = await other.query<{ id: number }>(
      `insert into cloudkitty_storage_states (identifier, scope_key, collector, fetcher, last_processed_timestamp)
       values ($1, $2, $3, $4, '2026-01-01'::timestamp + $5 * interval '1 microsecond') returning id`,
      [scopeId, ...parts, micros],
    );
    return rows[0]!.id;
  }

  const insertUnit = ({ scopeId, scopeKey, collector, fetcher }: CollectionUnit) =>
    insert(scopeId, [scopeKey, collector, fetcher]);

  const rowsOf = (scopeId: string) =>
    database.query(
      'select id, collector, version from cloudkitty_storage_states where identifier = $1 order by id',
      [scopeId],
    );

  async function decided(units: CollectionUnit[], decide: Decide = checkAll(units)) {
    const { results } = await states.decide(units, author, decide);
    return results.map(({ outcome, state }) => ({ outcome, id: state?.id, collector: state?.collector }));
  }

  const checkAll = (units: CollectionUnit[]) => (locked: LockedStates) =>
    units.map((asked) => locked.check(asked));
  const advanceTo = (asked: CollectionUnit, time: string) => (locked: LockedStates) => [
    locked.advance({ unit: asked, lastProcessedTimestamp: Temporal.Instant.from(time), expected: undefined }),
  ];

  /** Runs `work` while `held` is not committed, and ends that transaction once `work` waits for it. */
  async function whileHeld<T>(
    held: () => Promise<unknown>,
    work: () => Promise<T>,
    end = () => Promise.resolve<unknown>(undefined),
  ) {
    await other.query('begin');
    await held();
    const working = work();
    await waitForALockWait();
    await end();
    await other.query('commit');
    return working;
  }

  async function waitForALockWait(): Promise<void> {
    const waiting = `select from pg_stat_activity where datname = current_database()
      and application_name = 'scopestate' and wait_event_type = 'Lock'`;
    while ((await database.query(waiting)).length === 0);
  }

  describe('a look-up', () => {
    test('finds the exact row before the legacy one, and never a partly filled one', async () => {
      const asked = unit();
      const legacy = await insert(asked.scopeId);
      await insert(asked.scopeId, [null, asked.collector, null]);
      const exact = await insertUnit(asked);
      expect(await decided([asked])).toEqual([{ outcome: 'FOUND', id: exact, collector: 'gnocchi' }]);
      const units = [scopeUnit(asked.scopeId, 'one'), scopeUnit(asked.scopeId, 'two')];
      expect(await decided(units)).toEqual([
        { outcome: 'BACKFILLED', id: legacy, collector: 'one' },
        { outcome: 'UNKNOWN', id: undefined, collector: undefined },
      ]);
    });

    test.each([
      ['another unit', 'two', { outcome: 'UNKNOWN' }],
      ['this unit', 'one', { outcome: 'FOUND' }],
    ])('that waited for a legacy row which %s claimed answers so', async (_whom, collector, expected) => {
      const asked = scopeUnit(unit().scopeId, 'one');
      const id = await insert(asked.scopeId);
      const [answer] = await whileHeld(
        () => other.query('select from cloudkitty_storage_states where id = $1 for update', [id]),
        () => decided([asked]),
        () =>
          other.query(
            `update cloudkitty_storage_states set scope_key = 'project_id', collector = $2, fetcher = 'keystone' where id = $1`,
            [id, collector],
          ),
      );
      expect(answer).toMatchObject(expected);
      expect(await rowsOf(asked.scopeId)).toEqual([{ id, collector, version: 2 }]);
    });

    test('that waited finds what came meanwhile: a row of a unit’s own, a legacy row', async () => {
      const [asked, exact, late] = [unit(), unit(), unit()];
      const ids = [await insert(asked.scopeId)];
      const answer = await whileHeld(
        () => other.query('select from cloudkitty_storage_states where id = $1 for update', ids),
        () => decided([asked, exact, late]),
        async () => ids.push(await insertUnit(exact), await insert(late.scopeId)),
      );
      expect(answer).toMatchObject([
        { outcome: 'BACKFILLED', id: ids[0] },
        { outcome: 'FOUND', id: ids[1] },
        { outcome: 'BACKFILLED', id: ids[2] },
      ]);
    });
  });

  describe('a write', () => {
    test('of a first state looks again when somebody else’s insert was first', async () => {
      const asked = unit();
      const looks: number[] = [];
      const answer = await whileHeld(
        () => insertUnit(asked),
        () =>
          decided([asked], (locked) => {
            looks.push(locked.exactRow(asked) === undefined ? 0 : 1);
            return advanceTo(asked, '2026-01-01T00:00:00.000001Z')(locked);
          }),
      );
      expect(answer).toMatchObject([{ outcome: 'UNCHANGED' }]);
      expect(looks).toEqual([0, 1]);
      expect(await rowsOf(asked.scopeId)).toHaveLength(1);
    });

    test('of a claim looks again when the unit gets a row of its own (unique violation)', async () => {
      const asked = unit();
      const legacy = await insert(asked.scopeId);
      let exact = 0;
      const answer = await whileHeld(
        async () => (exact = await insertUnit(asked)),
        () => decided([asked]),
      );
      expect(answer).toEqual([{ outcome: 'FOUND', id: exact, collector: 'gnocchi' }]);
      expect(await rowsOf(asked.scopeId)).toMatchObject([{ id: legacy, collector: null }, { id: exact }]);
    });

    test('is not done, and nothing stays locked, when a decision throws', async () => {
      const asked = unit();
      const id = await insert(asked.scopeId);
      const deciding = decided([asked], () => {
        throw new RangeError('undecided');
      });
      await expect(deciding).rejects.toThrow('undecided');
      await other.query('select from cloudkitty_storage_states where id = $1 for update nowait', [id]);
      expect(await decided([asked])).toMatchObject([{ outcome: 'BACKFILLED', id }]);
    });

    test('of a batch gives each item its own outcome', async () => {
      const scopes = Array.from({ length: scaled(1_000, 20) / 5 }, () => unit().scopeId);
      const units = scopes.flatMap((id) => ['a', 'b', 'c', 'd', 'e'].map((name) => scopeUnit(id, name)));
      for (const scopeId of scopes) {
        await insert(scopeId);
        await insertUnit(scopeUnit(scopeId, 'b'));
      }
      const outcomes = (await decided(units)).map(({ outcome }) => outcome);
      expect(outcomes).toEqual(
        scopes.flatMap(() => ['BACKFILLED', 'FOUND', 'UNKNOWN', 'UNKNOWN', 'UNKNOWN']),
      );
      const { results } = await states.decide(units, author, (locked) =>
        units.flatMap((asked) => advanceTo(asked, '2026-01-02T00:00:00Z')(locked)),
      );
      expect(results.map(({ outcome }) => outcome)).toEqual(
        scopes.flatMap(() => ['ADVANCED', 'ADVANCED', 'CREATED', 'CREATED', 'CREATED']),
      );
      const stored = await database.query<{ row: string }>(
        `select concat_ws(' ', id, identifier, collector) as row from cloudkitty_storage_states where identifier = any ($1)`,
        [scopes],
      );
      const told = results.map(({ state }) => `${state!.id} ${state!.scopeId} ${state!.collector}`);
      expect(stored.map(({ row }) => row).sort()).toEqual(told.sort());
    });
  });

  describe('a reset of a selection', () => {
    const target = Temporal.Instant.from('2025-01-01T00:00:00Z');
    const intent = { kind: 'reset', lastProcessedTimestamp: target } as const;

    async function planned(count: number) {
      const units = Array.from({ length: count }, () => unit());
      const ids: number[] = [];
      for (const asked of units) ids.push(await insertUnit(asked));
      const selection = { by: 'filter', filter: { scopeIds: units.map(({ scopeId }) => scopeId) } } as const;
      const { plan, matched } = await selections.plan(selection, intent, allUnits);
      expect(matched).toBe(count);
      return { ids, selection, apply: () => selections.apply(selection, intent, plan, author, allUnits) };
    }

    const rowsNow = (ids: number[]) =>
      database.query(
        `select version, moved_by_operator as moved, last_processed_timestamp = '2025-01-01' as reset
         from cloudkitty_storage_states where id = any ($1) order by id`,
        [ids],
      );

    test('applies to a row that was advanced while it was waited for, and says so', async () => {
      const { ids, apply } = await planned(3);
      const applied = await whileHeld(
        () =>
          other.query(
            `update cloudkitty_storage_states set last_processed_timestamp = '2026-02-01' where id = $1`,
            [ids[1]],
          ),
        apply,
      );
      expect(applied).toMatchObject({ applied: true, matched: 3, changed: 3, advancedSincePlan: 1 });
      expect(await rowsNow(ids)).toEqual([2, 3, 2].map((version) => ({ version, moved: true, reset: true })));
      expect(await apply()).toMatchObject({ applied: false, changed: 0 });
    });

    test.each([
      ['was switched off', 'update cloudkitty_storage_states set active = false where id = $1', 2],
      ['was deleted', 'delete from cloudkitty_storage_states where id = $1', undefined],
    ])('is stale when a row %s while it was waited for', async (_change, statement, version) => {
      const { ids, apply } = await planned(3);
      const applied = await whileHeld(() => other.query(statement, [ids[1]]), apply);
      expect(applied).toMatchObject({ applied: false, changed: 0 });
      const versions = [1, version, 1].filter((one) => one !== undefined);
      expect(await rowsNow(ids)).toEqual(
        versions.map((one) => ({ version: one, moved: false, reset: false })),
      );
    });
  });
});
