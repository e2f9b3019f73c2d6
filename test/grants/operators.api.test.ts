import { describe, expect, test } from '@jest/globals';
import { operations } from '../support/state-api.js';
import { unit, type Unit } from '../support/units.js';
import { hour, useGrantedApi, type GrantedCaller } from './granted-api.js';

const api = useGrantedApi();

const fields = `outcome matched changed sample { scopeId collector active lastProcessedTimestamp } unmatched planToken`;
const documents = {
  resetScopeStates: `mutation ($input: ResetScopeStatesInput!) { resetScopeStates(input: $input) { ${fields} advancedSincePlan } }`,
  setScopeActivation: `mutation ($input: SetScopeActivationInput!) { setScopeActivation(input: $input) { ${fields} } }`,
  deleteScopeStates: `mutation ($input: DeleteScopeStatesInput!) { deleteScopeStates(input: $input) { ${fields} } }`,
  undoScopeStateChange: `mutation ($input: UndoScopeStateChangeInput!) {
    undoScopeStateChange(input: $input) { outcome matched changed planToken sample { scopeId } movedOn { scopeId } movedOnCount }
  }`,
};
type Operation = keyof typeof documents;

interface Result {
  planToken: string;
  sample: { collector: string | null }[];
}

const run = async (caller: GrantedCaller, operation: Operation, input: object): Promise<Result> =>
  (await caller.data(documents[operation], { input: { reason: 'a test', ...input } }))[operation];

async function apply(caller: GrantedCaller, operation: Operation, input: object) {
  const { planToken } = await run(caller, operation, input);
  return run(caller, operation, { ...input, planToken });
}

/** A scope with a state that is granted to gnocchi’s operator, one that is not, and a legacy one. */
async function scope() {
  const own = unit();
  const hidden = { ...own, collector: 'monasca' };
  const ids: string[] = [];
  for (const one of [own, hidden]) ids.push((await api.admin.advance(one, hour(5))).scopeState.id);
  ids.push(await api.insertLegacy(own.scopeId));
  return { own, hidden, ids, operator: api.as({ collector: 'gnocchi' }) };
}

const state = (one: Unit) => api.admin.find(one);

async function newestChange(id: string): Promise<string> {
  const { node } = await api.admin.data(
    `query ($id: ID!) { node(id: $id) { ... on ScopeState { changes(first: 1) { nodes { id } } } } }`,
    { id },
  );
  return node.changes.nodes[0].id;
}

describe.each([
  ['resetScopeStates', { lastProcessedTimestamp: hour(1) }],
  ['setScopeActivation', { active: false }],
  ['deleteScopeStates', {}],
] as [Operation, object][])('%s', (operation, more) => {
  test('by filter plans, shows and changes only what is granted', async () => {
    const { own, hidden, operator } = await scope();
    const before = await state(hidden);
    const input = { ...more, select: { filter: { scopeIds: [own.scopeId] } } };
    const plan = await run(operator, operation, input);
    expect(plan).toMatchObject({ outcome: 'PLANNED', matched: 2, unmatched: [] });
    const collectors = plan.sample.map(({ collector }) => collector);
    expect(collectors.sort()).toEqual(['gnocchi', null].sort());
    const applied = await run(operator, operation, { ...input, planToken: plan.planToken });
    expect(applied).toMatchObject({ outcome: 'APPLIED', matched: 2, changed: 2 });
    expect(applied.sample.map(({ collector }) => collector)).not.toContain('monasca');
    expect(await state(hidden)).toEqual(before);
  });

  test('of everything is of everything granted', async () => {
    const { own, hidden } = await scope();
    const before = await state(hidden);
    const operator = api.as({ scopeId: own.scopeId, collector: 'gnocchi' });
    const applied = await apply(operator, operation, { ...more, select: { all: true } });
    expect(applied).toMatchObject({ outcome: 'APPLIED', matched: 2, changed: 2 });
    expect(await state(hidden)).toEqual(before);
  });

  test('by ids and units counts what is not granted with what is not there', async () => {
    const { own, hidden, ids, operator } = await scope();
    const missing = unit();
    const byUnits = await run(operator, operation, { ...more, select: { units: [own, hidden, missing] } });
    expect(byUnits).toMatchObject({
      matched: 1,
      unmatched: [hidden, missing].map((one) => JSON.stringify(one)),
    });
    const missingId = Buffer.from('ScopeState:2000000000').toString('base64url');
    const select = { ids: [ids[1]!, missingId] };
    expect(await run(operator, operation, { ...more, select })).toMatchObject({
      matched: 0,
      changed: 0,
      sample: [],
      unmatched: [ids[1], missingId],
    });
  });
});

test('what is not granted neither makes a plan stale nor holds it up', async () => {
  const { own, hidden, operator } = await scope();
  const input = { lastProcessedTimestamp: hour(1), select: { filter: { scopeIds: [own.scopeId] } } };
  const { planToken } = await run(operator, 'resetScopeStates', input);
  await apply(api.admin, 'resetScopeStates', { ...input, select: { units: [hidden] } });
  const another = { unit: { ...hidden, fetcher: 'another' }, lastProcessedTimestamp: hour(5) };
  await api.admin.data(operations.create, { input: another });
  const holder = await api.database.connect();
  await holder.query('begin');
  await holder.query(
    `select from cloudkitty_storage_states where identifier = $1 and collector = 'monasca' for update`,
    [own.scopeId],
  );
  const applied = await run(operator, 'resetScopeStates', { ...input, planToken });
  expect(applied).toMatchObject({ outcome: 'APPLIED', changed: 2, advancedSincePlan: 0 });
  await holder.query('rollback');
});

test('a plan of somebody who is granted more is stale', async () => {
  const { own, hidden, operator } = await scope();
  const input = { lastProcessedTimestamp: hour(1), select: { filter: { scopeIds: [own.scopeId] } } };
  const { planToken } = await run(api.admin, 'resetScopeStates', input);
  const refused = await run(operator, 'resetScopeStates', { ...input, planToken });
  expect(refused).toMatchObject({ outcome: 'PLAN_STALE', matched: 2, changed: 0 });
  expect((await state(hidden)).lastProcessedTimestamp).toBe(hour(5));
});

describe('an undo', () => {
  const reset = { lastProcessedTimestamp: hour(1) };
  const ask = (caller: GrantedCaller, input: object) =>
    caller.ask(documents.undoScopeStateChange, { input: { reason: 'a test', ...input } });

  test('of an operation that touched granted states only is done', async () => {
    const { own, ids, operator } = await scope();
    await apply(api.admin, 'resetScopeStates', { ...reset, select: { units: [own] } });
    const changeId = await newestChange(ids[0]!);
    expect(await apply(operator, 'undoScopeStateChange', { changeId })).toMatchObject({
      outcome: 'APPLIED',
      matched: 1,
      changed: 1,
      sample: [{ scopeId: own.scopeId }],
    });
    expect((await state(own)).lastProcessedTimestamp).toBe(hour(5));
  });

  test('of one that touched others, too, is refused as if the rest had been pruned, with a token as without', async () => {
    const { own, hidden, ids, operator } = await scope();
    await apply(api.admin, 'resetScopeStates', { ...reset, select: { units: [own, hidden] } });
    const changeId = await newestChange(ids[0]!);
    const refused = await ask(operator, { changeId });
    expect(refused.data).toBeNull();
    expect(refused.errors[0].extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'input.changeId' });
    const { planToken } = await run(api.admin, 'undoScopeStateChange', { changeId });
    expect(await ask(operator, { changeId, planToken })).toEqual(refused);
    expect((await state(own)).lastProcessedTimestamp).toBe(hour(1));

    // Exactly so where the other entry is not there any more.
    const other = await newestChange(ids[1]!);
    const [, sequence] = Buffer.from(other, 'base64url').toString().split(':');
    await api.database.query('delete from scopestate_history where sequence = $1', [sequence]);
    expect(await ask(operator, { changeId })).toEqual(refused);
    expect(await ask(api.admin, { changeId })).toEqual(refused);
  });

  test('of a move out of what is granted, or into it, is refused likewise', async () => {
    const { own, ids, operator } = await scope();
    const target = unit({ collector: 'monasca' });
    await api.admin.rekey(ids[0]!, target);
    const changeId = await newestChange(ids[0]!);
    for (const caller of [operator, api.as({ scopeId: target.scopeId })]) {
      const { errors } = await ask(caller, { changeId });
      expect(errors[0].message).toMatch(/whose other entries were pruned, or are not granted/);
    }
    expect(await api.as({ scopeId: own.scopeId }, { scopeId: target.scopeId }).find(target)).not.toBeNull();
  });

  test('shows of states that have moved on only what is granted', async () => {
    const { own, ids, operator } = await scope();
    await apply(api.admin, 'resetScopeStates', { ...reset, select: { units: [own] } });
    const changeId = await newestChange(ids[0]!);
    await api.admin.rekey(ids[0]!, unit({ collector: 'monasca' }));
    expect(await run(operator, 'undoScopeStateChange', { changeId })).toMatchObject({
      outcome: 'PLAN_STALE',
      sample: [],
      movedOn: [{ scopeId: own.scopeId }],
      movedOnCount: 1,
    });
  });
});
