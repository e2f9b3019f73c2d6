import { beforeAll, expect, test } from '@jest/globals';
import { stateFields } from '../support/state-api.js';
import { unit, type Unit } from '../support/units.js';
import { hour, useGrantedApi, type GrantedCaller } from './granted-api.js';

const api = useGrantedApi();
/** May see what tenant-a has, and nothing of tenant-b. */
const tenant = () => api.as({ scopeId: 'tenant-a-*' });

const absentRow = 2_000_000_000;
const nodeId = (type: string, row: number | string) => Buffer.from(`${type}:${row}`).toString('base64url');

interface Asked {
  unit: Unit;
  stateId: string;
  changeId: string;
}
/** a state that is not granted, a legacy one whose unit is asked for, and one that never was */
let hidden: Asked;
let legacy: Asked;
let absent: Asked;

/** The words of a question about something, and where they stand in its answer. */
const names = ({ unit: asked, stateId, changeId }: Asked) => [asked.scopeId, stateId, changeId];

beforeAll(async () => {
  await api.admin.advance(unit({ scopeId: 'tenant-a-1' }), hour(0));
  const asked = unit({ scopeId: 'tenant-b-1' });
  const { scopeState } = await api.admin.advance(asked, hour(0));
  const { changes } = (
    await api.admin.data(
      `query ($id: ID!) { node(id: $id) { ... on ScopeState { changes { nodes { id } } } } }`,
      {
        id: scopeState.id,
      },
    )
  ).node;
  hidden = { unit: asked, stateId: scopeState.id, changeId: changes.nodes[0].id };
  const stateId = await api.insertLegacy('tenant-b-2');
  const [entry] = await api.database.query<{ sequence: string }>(
    `select max(sequence) as sequence from scopestate_history where identifier = 'tenant-b-2'`,
  );
  const changeId = nodeId('ScopeStateChange', entry!.sequence);
  legacy = { unit: unit({ scopeId: 'tenant-b-2' }), stateId, changeId };
  absent = {
    unit: unit({ scopeId: 'tenant-b-0' }),
    stateId: nodeId('ScopeState', absentRow),
    changeId: nodeId('ScopeStateChange', absentRow),
  };
});

const change = `id sequence kind stateId scopeId actor reason before { id } after { id }`;
const page = `totalCount nodes { ...State } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }`;

type Question = [name: string, document: string, variables: (asked: Asked) => Record<string, unknown>];

const questions: Question[] = [
  [
    'scopeState',
    `query ($unit: CollectionUnitInput!) { scopeState(unit: $unit) { ...State } } ${stateFields}`,
    ({ unit: asked }) => ({ unit: asked }),
  ],
  [
    'scopeStateAsOf',
    `query ($unit: CollectionUnitInput!, $at: DateTime!) { scopeStateAsOf(unit: $unit, at: $at) { ...State } } ${stateFields}`,
    ({ unit: asked }) => ({ unit: asked, at: new Date().toISOString() }),
  ],
  [
    'node of a state, with its history',
    `query ($id: ID!) { node(id: $id) { id ... on ScopeState { scopeId changes { nodes { ${change} } } } } }`,
    ({ stateId }) => ({ id: stateId }),
  ],
  [
    'node of a change',
    `query ($id: ID!) { node(id: $id) { id ... on ScopeStateChange { ${change} } } }`,
    ({ changeId }) => ({ id: changeId }),
  ],
  [
    'scopeStates by scope id',
    `query ($scopeId: String!) { scopeStates(filter: { scopeIds: [$scopeId] }) { ${page} } } ${stateFields}`,
    ({ unit: { scopeId } }) => ({ scopeId }),
  ],
  [
    'scopeStates by prefix, from the end, by timestamp',
    `query ($scopeId: String!) {
      scopeStates(filter: { scopeIdPrefix: $scopeId }, last: 1, orderBy: { field: LAST_PROCESSED_TIMESTAMP, direction: DESC }) { ${page} }
    } ${stateFields}`,
    ({ unit: { scopeId } }) => ({ scopeId }),
  ],
  [
    'scopeStateChanges by unit',
    `query ($unit: CollectionUnitInput!) {
      scopeStateChanges(filter: { units: [$unit] }) { nodes { ${change} } pageInfo { hasNextPage hasPreviousPage endCursor } }
    }`,
    ({ unit: asked }) => ({ unit: asked }),
  ],
  [
    'scopeStateChanges by scope id',
    `query ($scopeId: String!) {
      scopeStateChanges(filter: { scopeIds: [$scopeId] }, first: 1) { nodes { ${change} } pageInfo { hasNextPage } }
    }`,
    ({ unit: { scopeId } }) => ({ scopeId }),
  ],
  [
    'aliases in one document',
    `query ($unit: CollectionUnitInput!, $scopeId: String!, $id: ID!) {
      own: scopeStates(filter: { scopeIdPrefix: "tenant-a-" }) { totalCount }
      one: scopeState(unit: $unit) { id }
      two: scopeStates(filter: { scopeIds: [$scopeId, "tenant-a-1"] }) { totalCount nodes { scopeId } }
      three: node(id: $id) { id }
      four: node(id: $id) { ... on ScopeState { version } }
    }`,
    ({ unit: asked, stateId }) => ({ unit: asked, scopeId: asked.scopeId, id: stateId }),
  ],
  [
    'a reset by id',
    `mutation ($ids: [ID!]!) {
      resetScopeStates(input: { select: { ids: $ids }, lastProcessedTimestamp: "${hour(0)}", reason: "a test" }) {
        outcome matched changed advancedSincePlan sample { id } unmatched
      }
    }`,
    ({ stateId }) => ({ ids: [stateId] }),
  ],
  [
    'a reset by unit',
    `mutation ($units: [CollectionUnitInput!]!) {
      resetScopeStates(input: { select: { units: $units }, lastProcessedTimestamp: "${hour(0)}", reason: "a test" }) {
        outcome matched sample { id } unmatched
      }
    }`,
    ({ unit: asked }) => ({ units: [asked] }),
  ],
  [
    'an activation by id, done at once',
    `mutation ($ids: [ID!]!) {
      setScopeActivation(input: { select: { ids: $ids }, active: false, reason: "a test" }) {
        outcome matched changed sample { id } unmatched
      }
    }`,
    ({ stateId }) => ({ ids: [stateId] }),
  ],
  [
    'a deletion by filter',
    `mutation ($scopeId: String!) {
      deleteScopeStates(input: { select: { filter: { scopeIds: [$scopeId] } }, reason: "a test" }) {
        outcome matched changed sample { id } unmatched
      }
    }`,
    ({ unit: { scopeId } }) => ({ scopeId }),
  ],
  [
    'a rekey',
    `mutation ($id: ID!) {
      rekeyScopeState(input: {
        id: $id, reason: "a test"
        unit: { scopeId: "tenant-a-9", scopeKey: "k", collector: "c", fetcher: "f" }
      }) { outcome scopeState { id } }
    }`,
    ({ stateId }) => ({ id: stateId }),
  ],
  [
    'an undo',
    `mutation ($id: ID!) {
      undoScopeStateChange(input: { changeId: $id, reason: "a test" }) { outcome matched sample { id } movedOnCount }
    }`,
    ({ changeId }) => ({ id: changeId }),
  ],
];

/** The answer, with the names that it says back (`unmatched`) as the same ones whatever was asked about. */
async function answerTo(caller: GrantedCaller, [, document, variables]: Question, asked: Asked) {
  let text = JSON.stringify(await caller.ask(document, variables(asked)));
  names(asked).forEach((name, n) => (text = text.replaceAll(name, `asked-${n}`)));
  return text;
}

test.each(questions)(
  '%s: answers of what is not granted exactly as of what never was',
  async (...question) => {
    const expected = await answerTo(tenant(), question, absent);
    expect(await answerTo(tenant(), question, hidden)).toBe(expected);
    expect(await answerTo(tenant(), question, legacy)).toBe(expected);
  },
);

/** All but the mutations that do at once what they are asked to. */
const harmless = questions.filter(([name]) => !/rekey|activation|undo/.test(name));

test.each(harmless)('%s: says something else to who is granted it', async (...question) => {
  expect(await answerTo(api.admin, question, hidden)).not.toBe(await answerTo(api.admin, question, absent));
});

test('none of it has changed anything', async () => {
  const { node } = await api.admin.data(
    `query ($id: ID!) { node(id: $id) { ... on ScopeState { active version } } }`,
    { id: hidden.stateId },
  );
  expect(node).toEqual({ active: true, version: 1 });
});
