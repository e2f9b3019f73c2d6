import { describe, expect, test } from '@jest/globals';
import { apiDatabases } from '../support/api-databases.js';
import { unit } from '../support/units.js';
import { useHistoryApi } from './history-api.js';

describe.each(apiDatabases)('on $name', ({ create }) => {
  const history = useHistoryApi(create);
  const api = history.states;
  const at = (day: number) => `2026-01-0${day}T00:00:00Z`;
  const clock = async () => (await api.clock()).toString();

  test('a state is told as it stood at any time of its life', async () => {
    const asked = unit();
    const moments: { at: string; state: unknown }[] = [];
    const look = async () => moments.push({ at: await clock(), state: await api.find(asked) });
    await look();
    const { scopeState } = await api.advance({ unit: asked, lastProcessedTimestamp: at(1) });
    await look();
    await api.advance({ unit: asked, lastProcessedTimestamp: at(4) });
    await look();
    await api.reset(scopeState.id, at(2));
    await look();
    await history.apply('delete', { select: { ids: [scopeState.id] } });
    await look();
    await api.create({ unit: asked, lastProcessedTimestamp: at(3) });
    await look();
    for (const { at: moment, state } of moments) {
      const found = await history.asOf(asked, moment);
      if (state === null) expect(found).toBeNull();
      else expect(found).toMatchObject(state as object);
    }
    expect(moments.map(({ state }) => (state as any)?.lastProcessedTimestamp)).toEqual([
      undefined,
      at(1),
      at(4),
      at(2),
      undefined,
      at(3),
    ]);
  });

  test('a unit had the legacy state then that it has taken over since', async () => {
    const asked = unit();
    await api.insertLegacy(asked.scopeId, at(1));
    const legacyThen = await clock();
    await api.check(asked);
    const ownThen = await clock();
    const other = unit({ scopeId: asked.scopeId, collector: 'monasca' });
    expect(await history.asOf(other, legacyThen)).toMatchObject({ legacy: true, collector: null });
    expect(await history.asOf(other, ownThen)).toBeNull();
    expect(await history.asOf(asked, ownThen)).toMatchObject({ ...asked, legacy: false });
  });

  test('a rekeyed state belonged to its old unit then', async () => {
    const [asked, elsewhere] = [unit(), unit()];
    const { scopeState } = await api.create({ unit: asked, lastProcessedTimestamp: at(1) });
    const then = await clock();
    await api.server.data(
      'mutation ($input: RekeyScopeStateInput!) { rekeyScopeState(input: $input) { outcome } }',
      { input: { id: scopeState.id, unit: elsewhere, reason: 'moved' } },
    );
    expect(await history.asOf(asked, then)).toMatchObject(scopeState);
    expect(await history.asOf(elsewhere, then)).toBeNull();
    expect(await history.asOf(asked, await clock())).toBeNull();
  });

  test('a state from before the history is told by its first change, or as it is', async () => {
    const [changed, untouched] = [unit(), unit()];
    // As a takeover leaves them: states without an entry.
    await api.insertExact(changed, '2026-01-01T00:00:00.000001Z');
    await api.insertExact(untouched, '9999-12-31T23:59:59.999999Z');
    await api.database.query('delete from scopestate_history where identifier = any ($1)', [
      [changed.scopeId, untouched.scopeId],
    ]);
    const [before, still] = [await api.find(changed), await api.find(untouched)];
    const then = await clock();
    await api.advance({ unit: changed, lastProcessedTimestamp: at(5) });
    expect(await history.asOf(changed, then)).toMatchObject(before);
    expect(await history.asOf(untouched, then)).toMatchObject(still);
  });

  test('how far it was behind is told as it was then', async () => {
    const asked = unit();
    const state = (await api.clock()).subtract({ hours: 10 });
    await api.create({ unit: asked, lastProcessedTimestamp: state.toString() });
    const then = await api.clock();
    await api.clock();
    const { lag, duePeriods } = await history.asOf(asked, then.toString());
    const sinceCovered = then.since(state.add({ hours: 1 }));
    expect(Temporal.Duration.compare(lag, sinceCovered)).toBe(0);
    expect(duePeriods).toBe(8);
  });

  test('at the very moment of a change it is the state after it, a microsecond before the one before it', async () => {
    const asked = unit();
    const { scopeState: made } = await api.advance({ unit: asked, lastProcessedTimestamp: at(1) });
    const { scopeState: moved } = await api.advance({ unit: asked, lastProcessedTimestamp: at(2) });
    await history.apply('delete', { select: { ids: [made.id] } });
    const [removed] = (await history.changes({ units: [asked] }, 1)).nodes;
    const asOf = (moment: string, micros = 0) =>
      history.asOf(asked, Temporal.Instant.from(moment).add({ microseconds: micros }).toString());
    expect(await asOf(made.updatedAt, -1)).toBeNull();
    expect(await asOf(made.updatedAt)).toMatchObject(made);
    expect(await asOf(moved.updatedAt, -1)).toMatchObject(made);
    expect(await asOf(moved.updatedAt)).toMatchObject(moved);
    expect(await asOf(removed.changedAt, -1)).toMatchObject(moved);
    expect(await asOf(removed.changedAt)).toBeNull();
  });

  test('a deletion that was undone is a time without a state, no more', async () => {
    const asked = unit();
    const { scopeState } = await api.create({ unit: asked, lastProcessedTimestamp: at(1) });
    const before = await clock();
    await history.apply('delete', { select: { ids: [scopeState.id] } });
    const between = await clock();
    const [removed] = (await history.changes({ units: [asked] }, 1)).nodes;
    await history.apply('undo', { changeId: removed.id });
    expect(await history.asOf(asked, before)).toMatchObject(scopeState);
    expect(await history.asOf(asked, between)).toBeNull();
    expect(await history.asOf(asked, await clock())).toMatchObject({ id: scopeState.id, version: 2 });
  });

  test('its own state wins over a legacy one then as now, and one that is partly filled is nobody’s', async () => {
    const asked = unit();
    await api.insertLegacy(asked.scopeId, at(1));
    await api.insert({ identifier: asked.scopeId, collector: asked.collector, at: at(4) });
    const legacy = await clock();
    await api.create({ unit: asked, lastProcessedTimestamp: at(2) });
    const own = await clock();
    await api.database.query('delete from cloudkitty_storage_states where identifier = $1', [asked.scopeId]);
    expect(await history.asOf(asked, legacy)).toMatchObject({ legacy: true, lastProcessedTimestamp: at(1) });
    expect(await history.asOf(asked, own)).toMatchObject({ legacy: false, lastProcessedTimestamp: at(2) });
    expect(await history.asOf(asked, await clock())).toBeNull();
  });

  test('the history reaches back to its beginning, and not a microsecond further', async () => {
    const asked = unit();
    await api.insertExact(asked, at(1));
    await api.database.query('delete from scopestate_history where identifier = $1', [asked.scopeId]);
    const [{ start }] = (await api.database.query<{ start: string }>(
      'select (extract(epoch from complete_since) * 1000000)::bigint as start from scopestate_history_start',
    )) as [{ start: string }];
    const begin = Temporal.Instant.fromEpochNanoseconds(BigInt(start) * 1_000n);
    expect(await history.asOf(asked, begin.toString())).toMatchObject({ lastProcessedTimestamp: at(1) });
    const { errors } = await history.askAsOf(asked, begin.subtract({ microseconds: 1 }).toString());
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'at' } }]);
  });

  test.each([
    ['before the history begins', (now: Temporal.Instant) => now.subtract({ hours: 24 * 365 })],
    ['in the future', (now: Temporal.Instant) => now.add({ hours: 1 })],
  ])('a time %s is refused, saying what is allowed', async (_what, timeOf) => {
    const { errors } = await history.askAsOf(unit(), timeOf(await api.clock()).toString());
    expect(errors).toMatchObject([
      {
        message: expect.stringMatching(/^at: found .*; allowed: from .*, where the history begins, to now/),
        extensions: { code: 'BAD_USER_INPUT', field: 'at' },
      },
    ]);
  });
});
