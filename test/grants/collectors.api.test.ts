import { describe, expect, test } from '@jest/globals';
import { operations } from '../support/state-api.js';
import { unit } from '../support/units.js';
import { hour, useGrantedApi } from './granted-api.js';

const api = useGrantedApi();
const gnocchi = () => api.as({ collector: 'gnocchi' });
const history = () => api.database.query('select count(*) from scopestate_history');
const rows = () =>
  api.database.query('select xmin::text, s::text from cloudkitty_storage_states s order by id');

/** Of each there is a state, an older one of before units existed, or none: the answer must not tell. */
const cases = ['a state', 'a legacy state', 'no state'] as const;

async function monascaUnit(has: (typeof cases)[number]) {
  const one = unit({ collector: 'monasca' });
  if (has === 'a state') await api.admin.advance(one, hour(0));
  if (has === 'a legacy state') await api.insertLegacy(one.scopeId);
  return one;
}

describe.each(cases)('a unit that is not granted, with %s', (has) => {
  const refused = [
    ['checkScopeState', operations.check, {}, { outcome: 'FORBIDDEN', scopeState: null, nextPeriod: null }],
    [
      'advanceScopeState',
      operations.advance,
      { lastProcessedTimestamp: hour(1) },
      { outcome: 'FORBIDDEN', backfilled: false, scopeState: null },
    ],
    [
      'createScopeState',
      operations.create,
      { lastProcessedTimestamp: hour(1) },
      { outcome: 'FORBIDDEN', scopeState: null },
    ],
  ] as const;

  test.each(refused)('%s: FORBIDDEN, and nothing is written', async (field, operation, more, answer) => {
    const input = { unit: await monascaUnit(has), ...more };
    const before = [await rows(), await history()];
    expect(await gnocchi().data(operation, { input })).toEqual({ [field]: answer });
    expect([await rows(), await history()]).toEqual(before);
  });
});

test('a bad unit is refused before anybody asks whether it is granted', async () => {
  const bad = unit({ collector: 'monasca', scopeId: '' });
  const { errors } = await gnocchi().ask(operations.check, { input: { unit: bad } });
  expect(errors[0].extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.unit.scopeId' });
});

test('a unit that is not granted is not even waited for, and the others of its batch are done in their order', async () => {
  const hidden = await monascaUnit('a state');
  const one = unit();
  const holder = await api.database.connect();
  await holder.query('begin');
  await holder.query('select from cloudkitty_storage_states where identifier = $1 for update', [
    hidden.scopeId,
  ]);
  const at = (n: number) => ({ unit: one, lastProcessedTimestamp: hour(n) });
  const forbidden = { unit: hidden, lastProcessedTimestamp: hour(1) };
  const advances = [at(1), forbidden, at(2), at(1), forbidden];
  const { advanceScopeStates } = await gnocchi().data(operations.advanceAll, { input: { advances } });
  const outcomes = ['CREATED', 'FORBIDDEN', 'ADVANCED', 'REGRESSION', 'FORBIDDEN'];
  expect(advanceScopeStates.results).toMatchObject(outcomes.map((outcome) => ({ outcome })));
  const { checkScopeStates } = await gnocchi().data(operations.checkAll, {
    input: { units: [hidden, one, hidden, unit()] },
  });
  expect(checkScopeStates.results).toMatchObject([
    { outcome: 'FORBIDDEN', scopeState: null, nextPeriod: null },
    { outcome: 'FOUND', scopeState: { scopeId: one.scopeId, lastProcessedTimestamp: hour(2) } },
    { outcome: 'FORBIDDEN', scopeState: null, nextPeriod: null },
    { outcome: 'UNKNOWN', scopeState: null },
  ]);
  await holder.query('rollback');
});

test('one unit that is not granted among 1,000 is the only one that is not done', async () => {
  const units = Array.from({ length: 1_000 }, (_, n) => unit(n === 617 ? { collector: 'monasca' } : {}));
  const advances = units.map((one) => ({ unit: one, lastProcessedTimestamp: hour(0) }));
  const { advanceScopeStates } = await gnocchi().data(operations.advanceAll, { input: { advances } });
  const results: { outcome: string; scopeState: { scopeId: string } | null }[] = advanceScopeStates.results;
  results.forEach(({ outcome, scopeState }, n) => {
    expect(outcome).toBe(n === 617 ? 'FORBIDDEN' : 'CREATED');
    expect(scopeState?.scopeId).toBe(n === 617 ? undefined : units[n]!.scopeId);
  });
});

test('a granted unit takes the legacy state of its scope id over', async () => {
  const one = unit();
  const id = await api.insertLegacy(one.scopeId);
  const found = await gnocchi().find(one);
  expect(found).toMatchObject({ id, legacy: true });
  const { checkScopeState } = await gnocchi().data(operations.check, { input: { unit: one } });
  expect(checkScopeState).toMatchObject({ outcome: 'BACKFILLED', scopeState: { id, collector: 'gnocchi' } });
});

test('whoever is granted nothing can do nothing', async () => {
  const nobody = api.as();
  const { checkScopeState } = await nobody.data(operations.check, { input: { unit: unit() } });
  expect(checkScopeState.outcome).toBe('FORBIDDEN');
  expect((await nobody.data(operations.page, {})).scopeStates).toEqual({ totalCount: 0, nodes: [] });
});

test('rekeys move neither a state that is not granted, nor one to a unit that is not', async () => {
  const hidden = await api.admin.advance(await monascaUnit('no state'), hour(0));
  const own = await gnocchi().advance(unit(), hour(0));
  const taken = await monascaUnit('a state');
  const before = [await rows(), await history()];
  expect(await gnocchi().rekey(hidden.scopeState.id, unit())).toEqual({
    outcome: 'NOT_FOUND',
    scopeState: null,
  });
  for (const target of [taken, await monascaUnit('no state')]) {
    expect(await gnocchi().rekey(own.scopeState.id, target)).toEqual({
      outcome: 'FORBIDDEN',
      scopeState: null,
    });
  }
  expect([await rows(), await history()]).toEqual(before);
});
