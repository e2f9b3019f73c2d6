import { describe, expect, test } from '@jest/globals';
import { waitsForLock } from '../support/lock-waits.js';
import { createTestDatabase } from '../support/test-database.js';
import { unit, type Unit } from '../support/units.js';
import { useHistoryApi } from './history-api.js';

const table = 'cloudkitty_storage_states';

const history = useHistoryApi(() => createTestDatabase());
const api = history.states;
const at = (day: number) => `2026-01-0${day}T00:00:00Z`;

const rekey = async (id: string, to: Unit) =>
  (
    await api.server.data(
      'mutation ($input: RekeyScopeStateInput!) { rekeyScopeState(input: $input) { outcome } }',
      { input: { id, unit: to, reason: 'a test' } },
    )
  ).rekeyScopeState.outcome;

/** The id of a scope's newest change of that kind. */
const changeOf = async (scopeId: string, kind: string): Promise<string> =>
  (await history.changes({ scopeIds: [scopeId], kinds: [kind] }, 1)).nodes[0].id;

async function state(): Promise<{ asked: Unit; id: string }> {
  const asked = unit();
  const { scopeState } = await api.advance({ unit: asked, lastProcessedTimestamp: at(5) });
  return { asked, id: scopeState.id };
}

describe('an undo that was done', () => {
  test('of a deletion is not done again after the state has lived on and was deleted once more', async () => {
    const { asked, id } = await state();
    await history.apply('delete', { select: { ids: [id] } });
    const first = await changeOf(asked.scopeId, 'DELETED');
    await history.apply('undo', { changeId: first });
    await api.check(asked);
    await api.advance({ unit: asked, lastProcessedTimestamp: at(8) });
    await history.apply('delete', { select: { ids: [id] } });
    // Its period up to the 8th is rated: it must not come back as of the 5th.
    expect(await history.run('undo', { changeId: first })).toMatchObject({
      outcome: 'PLAN_STALE',
      movedOnCount: 1,
      movedOn: [{ id: first, kind: 'DELETED' }],
    });
    await history.apply('undo', { changeId: await changeOf(asked.scopeId, 'DELETED') });
    expect(await api.find(asked)).toMatchObject({ id, lastProcessedTimestamp: at(8) });
  });

  test.each(['ACTIVATED', 'DEACTIVATED', 'REKEYED', 'DELETED'])(
    'of %s is not done again, not even after an undo of the same again',
    async (kind) => {
      const { asked, id } = await state();
      const select = { ids: [id] };
      const steps: Record<string, () => Promise<unknown>> = {
        DEACTIVATED: () => history.run('activate', { select, active: false }),
        ACTIVATED: async () => {
          await history.run('activate', { select, active: false });
          await history.run('activate', { select, active: true });
        },
        REKEYED: () => rekey(id, unit({ scopeId: asked.scopeId, collector: 'monasca' })),
        DELETED: () => history.apply('delete', { select }),
      };
      await steps[kind]!();
      const changeId = await changeOf(asked.scopeId, kind);
      const { planToken } = await history.run('undo', { changeId });
      expect(await history.run('undo', { changeId, planToken })).toMatchObject({ outcome: 'APPLIED' });
      const undone = await api.node(id);
      for (const more of [{}, { planToken }]) {
        expect(await history.run('undo', { changeId, ...more })).toMatchObject({
          outcome: 'PLAN_STALE',
          changed: 0,
          movedOn: [{ kind }],
        });
      }
      await steps[kind]!();
      expect(await history.run('undo', { changeId })).toMatchObject({ outcome: 'PLAN_STALE' });
      expect(await api.node(id)).not.toEqual(undone);
    },
  );
});

describe('a state that another program has put in the place', () => {
  test('under the same id, with the same version, is not the one that was changed', async () => {
    const { asked, id } = await state();
    await api.reset(id, at(1));
    const changeId = await changeOf(asked.scopeId, 'RESET');
    const [row] = await api.rows(asked.scopeId);
    await api.database.query(`delete from ${table} where identifier = $1`, [asked.scopeId]);
    await api.database.query(
      `insert into ${table} (id, identifier, scope_key, collector, fetcher, last_processed_timestamp, version)
       values ($1, $2, $3, $4, $5, '2026-01-03', 2)`,
      [row!.id, asked.scopeId, asked.scopeKey, asked.collector, asked.fetcher],
    );
    expect(await history.run('undo', { changeId })).toMatchObject({ outcome: 'PLAN_STALE', movedOnCount: 1 });
    expect(await api.find(asked)).toMatchObject({ lastProcessedTimestamp: at(3) });
  });

  test('of the same unit keeps a deleted one from coming back, a legacy one a legacy one', async () => {
    const { scopeId } = unit();
    await api.insertLegacy(scopeId, at(2));
    const [legacy] = await api.nodesOf({ scopeIds: [scopeId] });
    await history.apply('delete', { select: { ids: [legacy.id] } });
    await api.insertLegacy(scopeId, at(3));
    const changeId = await changeOf(scopeId, 'DELETED');
    expect(await history.run('undo', { changeId })).toMatchObject({ outcome: 'PLAN_STALE', movedOnCount: 1 });
    expect(await api.nodesOf({ scopeIds: [scopeId] })).toMatchObject([{ lastProcessedTimestamp: at(3) }]);
  });

  test('a legacy one, does not keep a unit’s own from coming back', async () => {
    const { asked, id } = await state();
    await history.apply('delete', { select: { ids: [id] } });
    await api.insertLegacy(asked.scopeId, at(3));
    await history.apply('undo', { changeId: await changeOf(asked.scopeId, 'DELETED') });
    expect(await api.find(asked)).toMatchObject({ id, legacy: false, lastProcessedTimestamp: at(5) });
    expect(await api.nodesOf({ scopeIds: [asked.scopeId] })).toHaveLength(2);
  });
});

describe('a rekey of a legacy state', () => {
  test('is undone: it is legacy again', async () => {
    const { scopeId } = unit();
    await api.insertLegacy(scopeId, at(2));
    const [legacy] = await api.nodesOf({ scopeIds: [scopeId] });
    await rekey(legacy.id, unit());
    await history.apply('undo', { changeId: await changeOf(scopeId, 'REKEYED') });
    expect(await api.node(legacy.id)).toMatchObject({
      scopeId,
      legacy: true,
      scopeKey: null,
      lastProcessedTimestamp: at(2),
    });
  });

  test('is not undone where the scope has another legacy state meanwhile', async () => {
    const { scopeId } = unit();
    await api.insertLegacy(scopeId, at(2));
    const [legacy] = await api.nodesOf({ scopeIds: [scopeId] });
    const to = unit();
    await rekey(legacy.id, to);
    await api.insertLegacy(scopeId, at(3));
    const changeId = await changeOf(scopeId, 'REKEYED');
    expect(await history.run('undo', { changeId })).toMatchObject({ outcome: 'PLAN_STALE', movedOnCount: 1 });
    expect(await api.find(to)).toMatchObject({ id: legacy.id });
  });
});

describe('between the dry run and its application', () => {
  test('an advance of one state of many leaves all as they are, and is told', async () => {
    const many = await Promise.all([state(), state(), state()]);
    const select = { ids: many.map(({ id }) => id) };
    await history.apply('reset', { select, lastProcessedTimestamp: at(1) });
    const changeId = await changeOf(many[0].asked.scopeId, 'RESET');
    const { planToken } = await history.run('undo', { changeId });
    const { asked } = many[1];
    const advance = { unit: asked, lastProcessedTimestamp: at(2), expected: at(1) };
    expect(await api.advance(advance)).toMatchObject({ outcome: 'ADVANCED' });
    expect(await history.run('undo', { changeId, planToken })).toMatchObject({
      outcome: 'PLAN_STALE',
      changed: 0,
      movedOn: [{ scopeId: asked.scopeId }],
    });
    for (const { id } of many) expect((await api.node(id)).lastProcessedTimestamp).toMatch(/-0[12]T/);
  });

  test('an advance that is not committed yet is waited for', async () => {
    const { asked, id } = await state();
    await api.reset(id, at(1));
    const changeId = await changeOf(asked.scopeId, 'RESET');
    const { planToken } = await history.run('undo', { changeId });
    const rival = await api.database.connect();
    await rival.query('begin');
    await rival.query(`update ${table} set last_processed_timestamp = '2026-01-02' where identifier = $1`, [
      asked.scopeId,
    ]);
    const undoing = history.run('undo', { changeId, planToken });
    await waitsForLock(api.database, 'Undo.lock');
    await rival.query('commit');
    expect(await undoing).toMatchObject({ outcome: 'PLAN_STALE', movedOnCount: 1 });
    expect(await api.find(asked)).toMatchObject({ lastProcessedTimestamp: at(2) });
  });

  test.each([
    ['deletion', 'DELETED', async (id: string) => history.apply('delete', { select: { ids: [id] } })],
    ['rekey', 'REKEYED', async (id: string) => rekey(id, unit())],
  ])('a state that takes the unit, and is committed as a %s is undone, wins', async (_what, kind, change) => {
    const { asked, id } = await state();
    await change(id);
    const changeId = await changeOf(asked.scopeId, kind);
    const { planToken } = await history.run('undo', { changeId });
    const rival = await api.database.connect();
    await rival.query('begin');
    await rival.query(
      `insert into ${table} (identifier, scope_key, collector, fetcher, last_processed_timestamp)
       values ($1, $2, $3, $4, '2026-01-03')`,
      Object.values(asked),
    );
    const undoing = history.run('undo', { changeId, planToken });
    await waitsForLock(api.database, 'Undo.apply');
    await rival.query('commit');
    expect(await undoing).toMatchObject({ outcome: 'PLAN_STALE', changed: 0, movedOnCount: 1 });
    expect(await api.find(asked)).toMatchObject({ lastProcessedTimestamp: at(3) });
  });

  test('a second application of the same plan waits for the first, and finds it done', async () => {
    const { asked, id } = await state();
    await history.apply('delete', { select: { ids: [id] } });
    const changeId = await changeOf(asked.scopeId, 'DELETED');
    const { planToken } = await history.run('undo', { changeId });
    const twice = await Promise.all([1, 2, 3].map(() => history.run('undo', { changeId, planToken })));
    expect(twice.map(({ outcome }) => outcome).sort()).toEqual(['APPLIED', 'PLAN_STALE', 'PLAN_STALE']);
    expect((await history.kindsOf(asked.scopeId)).filter((kind) => kind === 'UNDONE')).toHaveLength(1);
  });
});

describe('a state that another program has put into the future', () => {
  test('is switched on again by an undo, which does not move it', async () => {
    const { asked, id } = await state();
    await api.database.query(
      `update ${table} set last_processed_timestamp = '9000-01-01' where identifier = $1`,
      [asked.scopeId],
    );
    await history.run('activate', { select: { ids: [id] }, active: false });
    await history.apply('undo', { changeId: await changeOf(asked.scopeId, 'DEACTIVATED') });
    expect(await api.find(asked)).toMatchObject({
      active: true,
      lastProcessedTimestamp: '9000-01-01T00:00:00Z',
    });
  });
});

test.each(['CREATED', 'BACKFILLED', 'ADVANCED', 'EXTERNAL', 'IMPORTED', 'UNDONE'])(
  'a change of the kind %s is refused by its name, saying which are not',
  async (kind) => {
    const { asked, id } = await state();
    await api.reset(id, at(1));
    await history.apply('undo', { changeId: await changeOf(asked.scopeId, 'RESET') });
    await api.check(asked);
    await api.advance({ unit: asked, lastProcessedTimestamp: at(6) });
    await api.database.query(`update ${table} set active = not active where identifier = $1`, [
      asked.scopeId,
    ]);
    const { scopeId } = unit();
    await api.insertLegacy(scopeId, at(1));
    await api.check(unit({ scopeId }));
    await api.database.query(
      `insert into scopestate_history (kind, state_id, identifier, last_processed_timestamp, active,
         scope_activation_toggle_date, version, recorded_at, actor)
       values ('IMPORTED', 1, $1, '2026-01-01', true, '2026-01-01', 1, timezone('utc', now()), 'import')`,
      [asked.scopeId],
    );
    const changeId = await changeOf(kind === 'BACKFILLED' ? scopeId : asked.scopeId, kind);
    const { errors } = await history.ask('undo', { changeId });
    expect(errors).toMatchObject([
      {
        message: `input.changeId: found a change of the kind ${kind}; allowed: a change of the kind RESET, ACTIVATED, DEACTIVATED, REKEYED, DELETED that the history still has`,
        extensions: { code: 'BAD_USER_INPUT', field: 'input.changeId' },
      },
    ]);
  },
);
