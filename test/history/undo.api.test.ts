import { describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { apiDatabases } from '../support/api-databases.js';
import { scaled, unit, type Unit } from '../support/units.js';
import { useHistoryApi } from './history-api.js';

describe.each(apiDatabases)('on $name', ({ create }) => {
  const history = useHistoryApi(create);
  const api = history.states;
  const at = (day: number) => `2026-01-0${day}T00:00:00Z`;

  /** Some states of one prefix. */
  async function states(
    count: number,
  ): Promise<{ units: Unit[]; filter: object; all: () => Promise<any[]> }> {
    const prefix = `${randomUUID()}/`;
    const units = Array.from({ length: count }, (_, n) => unit({ scopeId: `${prefix}${n}` }));
    await api.advanceAll(units.map((asked) => ({ unit: asked, lastProcessedTimestamp: at(5) })));
    const filter = { scopeIdPrefix: prefix };
    return { units, filter, all: () => api.nodesOf(filter) };
  }

  const lastChange = async (asked: Unit): Promise<string> =>
    (await history.changes({ scopeIds: [asked.scopeId] }, 1)).nodes[0].id;

  const withoutWrite = (all: any[]) =>
    all.map(({ version: _version, updatedAt: _at, ...state }: any) => state);

  test('a reset is undone as a whole, after a dry run that changes nothing', async () => {
    const { units, filter, all } = await states(3);
    const before = await all();
    await history.apply('reset', { select: { filter }, lastProcessedTimestamp: at(1) });
    const reset = await all();
    const input = { changeId: await lastChange(units[1]!) };
    const plan = await history.run('undo', input);
    expect(plan).toMatchObject({ outcome: 'PLANNED', matched: 3, changed: 0, movedOn: [], movedOnCount: 0 });
    expect(await all()).toEqual(reset);
    const { planToken } = plan;
    const undone = await history.run('undo', { ...input, planToken, reason: 'was a mistake' });
    expect(undone).toMatchObject({ outcome: 'APPLIED', matched: 3, changed: 3 });
    expect(undone.sample).toEqual(await all());
    expect(withoutWrite(await all())).toEqual(withoutWrite(before));
    expect((await all()).map(({ version }) => version)).toEqual([3, 3, 3]);
    expect((await history.changes({ units: [units[0]] }, 1)).nodes).toMatchObject([
      { kind: 'UNDONE', reason: 'was a mistake', before: { lastProcessedTimestamp: at(1) } },
    ]);
    // A second click does no harm.
    expect(await history.run('undo', { ...input, planToken })).toMatchObject({
      outcome: 'PLAN_STALE',
      changed: 0,
      movedOnCount: 3,
    });
  });

  test('a deletion is undone: the states have their ids, and all that they had', async () => {
    const { units, filter, all } = await states(2);
    await history.run('activate', { select: { units: [units[0]] }, active: false });
    await api.insertLegacy(`${(filter as any).scopeIdPrefix}legacy`, at(2));
    const before = await all();
    await history.apply('delete', { select: { filter } });
    expect(await all()).toEqual([]);
    await history.apply('undo', { changeId: await lastChange(units[0]!) });
    expect(withoutWrite(await all())).toEqual(withoutWrite(before));
  });

  test('an advance that was on its way while a deletion was undone is STALE', async () => {
    const { units } = await states(1);
    await history.apply('delete', { select: { units } });
    await history.apply('undo', { changeId: await lastChange(units[0]!) });
    const advance = { unit: units[0]!, lastProcessedTimestamp: at(6) };
    expect(await api.advance(advance)).toMatchObject({ outcome: 'STALE' });
    await api.check(units[0]!);
    expect(await api.advance(advance)).toMatchObject({ outcome: 'ADVANCED' });
  });

  test('a switch and a rekey are undone', async () => {
    const { units, all } = await states(2);
    const before = await all();
    const elsewhere = unit({ scopeId: units[0]!.scopeId, collector: 'monasca' });
    await api.server.data(
      'mutation ($input: RekeyScopeStateInput!) { rekeyScopeState(input: $input) { outcome } }',
      { input: { id: before[0].id, unit: elsewhere, reason: 'a test' } },
    );
    await history.apply('undo', { changeId: await lastChange(elsewhere) });
    expect(withoutWrite(await all())).toEqual(withoutWrite(before));
    await history.run('activate', { select: { units }, active: false });
    await history.apply('undo', { changeId: await lastChange(units[1]!) });
    const after = await all();
    expect(after.map(({ active }) => active)).toEqual([true, true]);
    // When the flag last changed: now, not when it was first set.
    expect(after[0].scopeActivationToggleDate).toBe(after[0].updatedAt);
    // Nothing was moved: a collector may go on.
    expect(await api.advance({ unit: units[1]!, lastProcessedTimestamp: at(6) })).toMatchObject({
      outcome: 'ADVANCED',
    });
  });

  test('what has moved on since is listed, already by the dry run, and nothing is changed', async () => {
    const { units, filter, all } = await states(3);
    await history.apply('reset', { select: { filter }, lastProcessedTimestamp: at(1) });
    const changeId = await lastChange(units[0]!);
    const { planToken } = await history.run('undo', { changeId });
    await api.check(units[1]!);
    await api.advance({ unit: units[1]!, lastProcessedTimestamp: at(2) });
    const now = await all();
    for (const more of [{}, { planToken }]) {
      expect(await history.run('undo', { changeId, ...more })).toMatchObject({
        outcome: 'PLAN_STALE',
        matched: 3,
        changed: 0,
        movedOnCount: 1,
        movedOn: [{ kind: 'RESET', scopeId: units[1]!.scopeId }],
      });
    }
    expect(await all()).toEqual(now);
  });

  test('that a check has acknowledged it does not stand in the way', async () => {
    const { units, filter } = await states(1);
    await history.apply('reset', { select: { filter }, lastProcessedTimestamp: at(1) });
    const changeId = await lastChange(units[0]!);
    await api.check(units[0]!);
    expect(await history.apply('undo', { changeId })).toMatchObject({ changed: 1 });
  });

  test('a deleted or rekeyed state does not come back to a unit that has another one now', async () => {
    const { units, all } = await states(2);
    await history.apply('delete', { select: { units: [units[0]] } });
    const deleted = await lastChange(units[0]!);
    const { planToken } = await history.run('undo', { changeId: deleted });
    await api.advance({ unit: units[0]!, lastProcessedTimestamp: at(1) });
    const moved = (await api.find(units[1]!)).id;
    await api.server.data(
      'mutation ($input: RekeyScopeStateInput!) { rekeyScopeState(input: $input) { outcome } }',
      { input: { id: moved, unit: unit({ scopeId: units[1]!.scopeId, collector: 'x' }), reason: 'a test' } },
    );
    const rekeyed = await lastChange(units[1]!);
    await api.advance({ unit: units[1]!, lastProcessedTimestamp: at(1) });
    const now = await all();
    for (const input of [{ changeId: deleted }, { changeId: deleted, planToken }, { changeId: rekeyed }]) {
      expect(await history.run('undo', input)).toMatchObject({ outcome: 'PLAN_STALE', movedOnCount: 1 });
    }
    expect(await all()).toEqual(now);
  });

  test('a plan is good for its own change only', async () => {
    const [one, other] = [await states(1), await states(1)];
    for (const { filter } of [one, other]) {
      await history.apply('reset', { select: { filter }, lastProcessedTimestamp: at(1) });
    }
    const { planToken } = await history.run('undo', { changeId: await lastChange(one.units[0]!) });
    const changeId = await lastChange(other.units[0]!);
    expect(await history.run('undo', { changeId, planToken })).toMatchObject({
      outcome: 'PLAN_STALE',
      changed: 0,
      movedOn: [],
    });
  });

  test('a plan of before the deletion does not fit the state that came back', async () => {
    const { units } = await states(1);
    const input = { select: { units }, lastProcessedTimestamp: at(1) };
    const { planToken } = await history.run('reset', input);
    await history.apply('delete', { select: { units } });
    await history.apply('undo', { changeId: await lastChange(units[0]!) });
    expect(await history.run('reset', { ...input, planToken })).toMatchObject({ outcome: 'PLAN_STALE' });
  });

  test('a state that would be in the future stays', async () => {
    const { units } = await states(1);
    await api.database.query(
      `update cloudkitty_storage_states set last_processed_timestamp = '9000-01-01' where identifier = $1`,
      [units[0]!.scopeId],
    );
    await history.apply('reset', { select: { units }, lastProcessedTimestamp: at(1) });
    const changeId = await lastChange(units[0]!);
    const { outcome, planToken } = await history.run('undo', { changeId });
    expect(outcome).toBe('IN_FUTURE');
    expect(await history.run('undo', { changeId, planToken })).toMatchObject({
      outcome: 'IN_FUTURE',
      changed: 0,
    });
  });

  test('a reset of very many states: one entry each, in one transaction, and one undo in one', async () => {
    const count = scaled(10_000, 1_000);
    const prefix = `${randomUUID()}/`;
    await api.database.query(
      `insert into cloudkitty_storage_states (identifier, scope_key, collector, fetcher, last_processed_timestamp)
       select $1 || n, 'project_id', 'gnocchi', 'keystone', timestamp '2026-01-05' + n * interval '1 microsecond'
       from generate_series(1, $2::int) n`,
      [prefix, count],
    );
    const rows = () =>
      api.database.query(
        `select id, last_processed_timestamp::text from cloudkitty_storage_states
         where starts_with(identifier, $1) order by id`,
        [prefix],
      );
    const before = await rows();
    const select = { filter: { scopeIdPrefix: prefix } };
    await history.apply('reset', { select, lastProcessedTimestamp: at(1) });
    const [change] = (await history.changes({ scopeIds: [`${prefix}1`] }, 1)).nodes;
    expect(await history.apply('undo', { changeId: change.id })).toMatchObject({ changed: count });
    expect(await rows()).toEqual(before);
    const entries = await api.database.query(
      `select kind, count(*)::int, count(distinct transaction)::int as transactions,
         count(distinct operation)::int as operations from scopestate_history
       where starts_with(identifier, $1) and kind in ('RESET', 'UNDONE') group by kind order by kind`,
      [prefix],
    );
    expect(entries).toEqual(
      ['RESET', 'UNDONE'].map((kind) => ({ kind, count, transactions: 1, operations: 1 })),
    );
  });

  test.each([
    [
      'an advance',
      'input.changeId',
      async () => ({ changeId: await lastChange((await states(1)).units[0]!) }),
    ],
    [
      'a change that is not there',
      'input.changeId',
      () => ({ changeId: Buffer.from('ScopeStateChange:999999999999').toString('base64url') }),
    ],
    [
      'the id of a state',
      'input.changeId',
      () => ({ changeId: Buffer.from('ScopeState:1').toString('base64url') }),
    ],
    ['a blank reason', 'input.reason', () => ({ changeId: 'x', reason: ' ' })],
    ['a made-up token', 'input.planToken', () => ({ changeId: 'x', planToken: 'x' })],
  ])('%s is refused, naming %s', async (_what, field, given) => {
    const { units } = await states(1);
    await history.apply('reset', { select: { units }, lastProcessedTimestamp: at(1) });
    const input: Record<string, unknown> = await given();
    if (input['changeId'] === 'x') input['changeId'] = await lastChange(units[0]!);
    const { errors } = await history.ask('undo', input);
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }]);
  });

  test('an operation whose entries were pruned in part is not undone in part', async () => {
    const { units, filter } = await states(2);
    await history.apply('reset', { select: { filter }, lastProcessedTimestamp: at(1) });
    const changeId = await lastChange(units[1]!);
    await api.database.query(`delete from scopestate_history where kind = 'RESET' and identifier = $1`, [
      units[0]!.scopeId,
    ]);
    const { errors } = await history.ask('undo', { changeId });
    expect(errors).toMatchObject([{ message: expect.stringContaining('pruned') }]);
  });
});
