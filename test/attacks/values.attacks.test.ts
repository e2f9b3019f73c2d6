import { describe, expect, test } from '@jest/globals';
import { unit } from '../support/units.js';
import { longestMessage, useAttackedServer } from './attacked-server.js';
import * as bad from './bad-values.js';

const attacked = useAttackedServer();

const at = '2026-01-01T00:00:00Z';
const asked = unit();
const reason = 'an attack';
const select = { units: [unit()] };

/** A document, and variables that it takes; a row puts a bad value in the place of one of them. */
interface Target {
  query: string;
  variables: Record<string, unknown>;
}

const query = (text: string, variables: Record<string, unknown>): Target => ({ query: text, variables });
const mutation = (field: string, type: string, input: Record<string, unknown>): Target =>
  query(`mutation ($input: ${type}!) { ${field}(input: $input) { __typename } }`, { input });

const targets = {
  scopeState: query(`query ($unit: CollectionUnitInput!) { scopeState(unit: $unit) { id } }`, {
    unit: asked,
  }),
  scopeStateAsOf: query(
    `query ($unit: CollectionUnitInput!, $at: DateTime!) { scopeStateAsOf(unit: $unit, at: $at) { id } }`,
    { unit: asked, at },
  ),
  scopeStates: query(
    `query ($filter: ScopeStateFilter, $orderBy: ScopeStateOrder, $first: Int, $last: Int, $after: String, $before: String) {
       scopeStates(filter: $filter, orderBy: $orderBy, first: $first, last: $last, after: $after, before: $before) { nodes { id } }
     }`,
    { filter: {}, orderBy: {} },
  ),
  scopeStateChanges: query(
    `query ($filter: ScopeStateChangeFilter, $first: Int, $after: String) {
       scopeStateChanges(filter: $filter, first: $first, after: $after) { nodes { id } }
     }`,
    { filter: {} },
  ),
  node: query(`query ($id: ID!) { node(id: $id) { id } }`, { id: 'U2NvcGVTdGF0ZTox' }),
  checkScopeState: mutation('checkScopeState', 'CheckScopeStateInput', { unit: asked }),
  checkScopeStates: mutation('checkScopeStates', 'CheckScopeStatesInput', { units: [asked] }),
  advanceScopeState: mutation('advanceScopeState', 'AdvanceScopeStateInput', {
    unit: asked,
    lastProcessedTimestamp: at,
    expected: null,
  }),
  createScopeState: mutation('createScopeState', 'CreateScopeStateInput', {
    unit: asked,
    lastProcessedTimestamp: at,
  }),
  rekeyScopeState: mutation('rekeyScopeState', 'RekeyScopeStateInput', {
    id: 'U2NvcGVTdGF0ZTox',
    unit: asked,
    reason,
  }),
  resetScopeStates: mutation('resetScopeStates', 'ResetScopeStatesInput', {
    select,
    lastProcessedTimestamp: at,
    reason,
  }),
  setScopeActivation: mutation('setScopeActivation', 'SetScopeActivationInput', {
    select: { filter: { scopeIds: ['x'] } },
    active: false,
    reason,
  }),
  deleteScopeStates: mutation('deleteScopeStates', 'DeleteScopeStatesInput', { select, reason }),
  undoScopeStateChange: mutation('undoScopeStateChange', 'UndoScopeStateChangeInput', {
    changeId: Buffer.from('ScopeStateChange:1').toString('base64url'),
    reason,
  }),
};

const unitRows = (prefix: string): [path: string, values: bad.BadValue[]][] =>
  Object.entries({ scopeId: 256, scopeKey: 40, collector: 40, fetcher: 40 }).map(([part, longest]) => [
    `${prefix}.${part}`,
    bad.badTexts(longest),
  ]);
const filterRows = (prefix: string): [path: string, values: bad.BadValue[]][] => [
  [`${prefix}.scopeIds.0`, bad.badTexts(256)],
  [`${prefix}.collectors.0`, bad.badTexts(40)],
];

/** Target, place in its variables, what is put there. */
const places: (readonly [target: keyof typeof targets, path: string, values: bad.BadValue[]])[] = [
  ...unitRows('unit').map(([path, values]) => ['scopeState', path, values] as const),
  ...unitRows('input.unit').map(([path, values]) => ['advanceScopeState', path, values] as const),
  ...unitRows('input.units.0').map(([path, values]) => ['checkScopeStates', path, values] as const),
  ...unitRows('input.unit').map(([path, values]) => ['rekeyScopeState', path, values] as const),
  ...filterRows('filter').map(([path, values]) => ['scopeStates', path, values] as const),
  ...filterRows('filter').map(([path, values]) => ['scopeStateChanges', path, values] as const),
  ['checkScopeState', 'input.unit.scopeId', bad.badTexts(256)],
  ['createScopeState', 'input.unit.fetcher', bad.badTexts(40)],
  ['scopeStateAsOf', 'at', [...bad.badTimes, ['null', null]]],
  ['advanceScopeState', 'input.lastProcessedTimestamp', [...bad.badTimes, ['null', null]]],
  ['advanceScopeState', 'input.expected', bad.badTimes],
  ['createScopeState', 'input.lastProcessedTimestamp', bad.badTimes],
  ['resetScopeStates', 'input.lastProcessedTimestamp', bad.badTimes],
  ['scopeStates', 'filter.processedBefore', bad.badTimes],
  ['scopeStates', 'filter.processedSince', bad.badTimes],
  ['scopeStateChanges', 'filter.since', bad.badTimes],
  ['scopeStates', 'first', bad.badInts],
  ['scopeStates', 'last', bad.badInts],
  ['scopeStateChanges', 'first', bad.badInts],
  ['node', 'id', bad.badIds],
  ['rekeyScopeState', 'input.id', bad.badIds],
  ['undoScopeStateChange', 'input.changeId', bad.badIds],
  ['scopeStates', 'after', bad.badCursors],
  ['scopeStates', 'before', bad.badCursors],
  ['scopeStateChanges', 'after', bad.badCursors],
  ['resetScopeStates', 'input.planToken', bad.badPlanTokens],
  ['deleteScopeStates', 'input.planToken', bad.badPlanTokens],
  ['setScopeActivation', 'input.planToken', bad.badPlanTokens],
  ['undoScopeStateChange', 'input.planToken', bad.badPlanTokens],
  ['resetScopeStates', 'input.reason', bad.badReasons],
  ['deleteScopeStates', 'input.reason', bad.badReasons],
  ['rekeyScopeState', 'input.reason', bad.badReasons],
  ['setScopeActivation', 'input.active', [...bad.badBooleans, ['null', null]]],
  ['createScopeState', 'input.active', [...bad.badBooleans, ['null', null]]],
  ['scopeStates', 'filter.active', bad.badBooleans],
  ['scopeStates', 'filter.legacy', bad.badBooleans],
  ['scopeStates', 'orderBy.field', [...bad.badEnums, ['null', null]]],
  ['scopeStates', 'orderBy.direction', [...bad.badEnums, ['null', null]]],
  ['scopeStateChanges', 'filter.kinds', bad.badEnums],
  ['scopeStates', 'filter.scopeIdPrefix', bad.badTexts(256).filter(([, value]) => value !== null)],
  ['scopeStates', 'filter.scopeIds', [['1,001 values', Array.from({ length: 1001 }, (_, n) => `s${n}`)]]],
  ['checkScopeStates', 'input.units', [['1,001 units', Array.from({ length: 1001 }, () => unit())]]],
];

const rows = places.flatMap(([target, path, values]) =>
  values.map(([name, value]) => ({ target, path, name, value })),
);

test('the corpus has at least 500 rows', () => {
  expect(rows.length).toBeGreaterThanOrEqual(500);
});

describe.each(places)('%s, %s', (target, path, values) => {
  test.each(values)('%s is refused as BAD_USER_INPUT', async (_name, value) => {
    const { query: document, variables } = targets[target];
    const { errors, data } = await attacked.strike(document, put(variables, path, value));
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
    expect(errors![0]!.message.length).toBeLessThanOrEqual(longestMessage);
    expect(Object.values(data ?? {}).every((value) => value === null)).toBe(true);
  });
});

describe('a text that only looks dangerous is stored and answered as it is', () => {
  test.each(bad.harmlessTexts)('%s', async (_name, value) => {
    const text = value as string;
    const strange = { scopeId: text, scopeKey: text, collector: text, fetcher: text };
    const { query: document, variables } = targets.advanceScopeState;
    expect(await attacked.strike(document, put(variables, 'input.unit', strange))).not.toHaveProperty(
      'errors',
    );
    const page = `query ($filter: ScopeStateFilter) {
      scopeStates(filter: $filter) { nodes { scopeId scopeKey collector fetcher } }
    }`;
    for (const filter of [{ scopeIds: [text] }, { scopeIdPrefix: text, fetchers: [text] }]) {
      const { data } = await attacked.strike(page, { filter });
      expect(data).toEqual({ scopeStates: { nodes: [strange] } });
    }
  });
});

const noSelection: [name: string, select: unknown][] = [
  ['nothing', {}],
  ['null', null],
  ['a list', []],
  ['two ways at once', { all: true, filter: { active: true } }],
  ['all: false', { all: false }],
  ['all: null', { all: null }],
  ['an empty filter', { filter: {} }],
  ['a filter of nulls', { filter: { scopeIds: null, active: null } }],
  ['1,001 ids', { ids: Array.from({ length: 1001 }, () => 'U2NvcGVTdGF0ZTox') }],
  ['ids that are none', { ids: ['*'] }],
  ['a null among the ids', { ids: [null] }],
  ['one more field', { all: true, force: true }],
  ['__proto__', JSON.parse('{"all":true,"constructor":{}}') as unknown],
];

describe.each(['resetScopeStates', 'setScopeActivation', 'deleteScopeStates'] as const)('%s of', (target) => {
  test.each(noSelection)('%s selects nothing and is refused', async (_name, value) => {
    const { query: document, variables } = targets[target];
    const { errors } = await attacked.strike(document, put(variables, 'input.select', value));
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
  });
});

/** A copy with one place changed. */
function put(variables: Record<string, unknown>, path: string, value: unknown): Record<string, unknown> {
  const copy = structuredClone(variables);
  const steps = path.split('.');
  const last = steps.pop()!;
  let place = copy as Record<string, any>;
  for (const step of steps) place = place[step] ??= /^\d+$/.test(last) ? [] : {};
  place[last] = value;
  return copy;
}
