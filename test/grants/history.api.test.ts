import { describe, expect, test } from '@jest/globals';
import { stateFields } from '../support/state-api.js';
import { unit } from '../support/units.js';
import { hour, useGrantedApi, type GrantedCaller } from './granted-api.js';

const api = useGrantedApi();

const fields = `id kind scopeId scopeKey collector fetcher actor reason before { ...State } after { ...State }`;
const changesOf = `query ($filter: ScopeStateChangeFilter) {
  scopeStateChanges(filter: $filter, first: 1000) { nodes { ${fields} } }
} ${stateFields}`;
const ofState = `query ($id: ID!) {
  node(id: $id) { ... on ScopeState { changes(first: 1000) { nodes { ${fields} } } } }
} ${stateFields}`;
const node = `query ($id: ID!) { node(id: $id) { ... on ScopeStateChange { ${fields} } } } ${stateFields}`;

const changes = async (caller: GrantedCaller, filter: Record<string, unknown>): Promise<any[]> =>
  (await caller.data(changesOf, { filter })).scopeStateChanges.nodes;

/** A state of one tenant's that was moved to another's, and what both have in their names. */
async function moved() {
  const [from, to] = [unit(), unit({ collector: 'monasca' })];
  const { scopeState } = await api.admin.advance(from, hour(0));
  await api.admin.rekey(scopeState.id, to, `from ${from.scopeId} to ${to.scopeId}`);
  await api.admin.data(
    `mutation ($id: ID!) {
      setScopeActivation(input: { select: { ids: [$id] }, active: false, reason: "its new owner’s" }) { outcome }
    }`,
    { id: scopeState.id },
  );
  const [giver, taker] = [api.as({ scopeId: from.scopeId }), api.as({ scopeId: to.scopeId })];
  return { from, to, id: scopeState.id as string, giver, taker };
}

describe('a state that was moved to a unit that is not granted', () => {
  test('is gone, and its history ends with the move, of which only the granted half is shown', async () => {
    const { from, to, id, giver } = await moved();
    expect(await giver.find(from)).toBeNull();
    expect((await giver.data(ofState, { id })).node).toBeNull();
    const [rekeyed, created, ...more] = await changes(giver, {});
    expect(more).toEqual([]);
    expect(created).toMatchObject({ kind: 'CREATED', before: null, after: { scopeId: from.scopeId } });
    expect(rekeyed).toMatchObject({
      kind: 'REKEYED',
      scopeId: from.scopeId,
      collector: 'gnocchi',
      reason: null,
      before: { scopeId: from.scopeId, version: 1 },
      after: null,
    });
    expect((await giver.data(node, { id: rekeyed.id })).node).toEqual(rekeyed);
    expect(JSON.stringify([rekeyed, created])).not.toMatch(new RegExp(`${to.scopeId}|monasca`));
  });

  test('is told by no filter, either', async () => {
    const { from, to, giver } = await moved();
    expect(await changes(giver, { scopeIds: [to.scopeId] })).toEqual([]);
    expect(await changes(giver, { units: [to] })).toEqual([]);
    expect(await changes(giver, { collectors: ['monasca'] })).toEqual([]);
    expect(await changes(giver, { units: [from], kinds: ['REKEYED'] })).toHaveLength(1);
  });

  test('is still told of as it was before it moved', async () => {
    const { from, to, giver, taker } = await moved();
    const [, created] = await changes(giver, {});
    const asOf = async (caller: GrantedCaller, asked: object) =>
      (
        await caller.data(
          `query ($unit: CollectionUnitInput!, $at: DateTime!) { scopeStateAsOf(unit: $unit, at: $at) { version } }`,
          { unit: asked, at: created.after.updatedAt },
        )
      ).scopeStateAsOf;
    expect(await asOf(giver, from)).toEqual({ version: 1 });
    expect(await asOf(taker, from)).toBeNull();
    expect(await asOf(api.admin, to)).toBeNull();
  });
});

test('of a state that came from a unit that is not granted the history begins with its coming', async () => {
  const { from, to, id, taker } = await moved();
  const { nodes } = (await taker.data(ofState, { id })).node.changes;
  expect(nodes).toEqual(await changes(taker, {}));
  const [switchedOff, rekeyed, ...more] = nodes;
  expect(more).toEqual([]);
  expect(rekeyed).toMatchObject({
    kind: 'REKEYED',
    scopeId: to.scopeId,
    reason: null,
    before: null,
    after: { scopeId: to.scopeId },
  });
  expect(switchedOff).toMatchObject({ kind: 'DEACTIVATED', reason: 'its new owner’s' });
  expect(JSON.stringify(nodes)).not.toContain(from.scopeId);
  expect(await changes(taker, { scopeIds: [from.scopeId] })).toEqual([]);
});

test('a legacy state is everybody’s of its scope until one unit takes it over', async () => {
  const { scopeId } = unit();
  await api.insertLegacy(scopeId);
  const [gnocchi, monasca] = [
    api.as({ scopeId, collector: 'gnocchi' }),
    api.as({ scopeId, collector: 'monasca' }),
  ];
  const other = unit({ scopeId, collector: 'monasca' });
  expect(await monasca.find(other)).toMatchObject({ legacy: true });
  await gnocchi.advance(unit({ scopeId }), hour(1));
  expect(await monasca.find(other)).toBeNull();
  const [taken, made] = await changes(monasca, { scopeIds: [scopeId] });
  expect(made).toMatchObject({ after: { legacy: true } });
  expect(taken).toMatchObject({
    kind: 'BACKFILLED',
    collector: null,
    before: { legacy: true, lastProcessedTimestamp: hour(0) },
    after: null,
  });
  const [whole] = await changes(api.admin, { scopeIds: [scopeId] });
  expect(whole).toMatchObject({ collector: 'gnocchi', after: { lastProcessedTimestamp: hour(1) } });
});
