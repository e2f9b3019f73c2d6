import { StateApi, stateFields, useStateApi } from '../support/state-api.js';
import type { TestDatabase } from '../support/test-database.js';

const changeFields = /* GraphQL */ `
  fragment Change on ScopeStateChange {
    id
    sequence
    kind
    stateId
    scopeId
    scopeKey
    collector
    fetcher
    before {
      ...State
    }
    after {
      ...State
    }
    changedAt
    actor
    reason
    requestId
  }
`;

const documents = {
  changes: `query ($filter: ScopeStateChangeFilter, $first: Int, $after: String) {
    scopeStateChanges(filter: $filter, first: $first, after: $after) {
      nodes { ...Change } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  } ${changeFields} ${stateFields}`,
  ofState: `query ($id: ID!) {
    node(id: $id) { ... on ScopeState { changes(first: 1000) { nodes { ...Change } } } }
  } ${changeFields} ${stateFields}`,
  node: `query ($id: ID!) { node(id: $id) { ...Change } } ${changeFields} ${stateFields}`,
  asOf: `query ($unit: CollectionUnitInput!, $at: DateTime!) {
    scopeStateAsOf(unit: $unit, at: $at) { ...State lag duePeriods }
  } ${stateFields}`,
  reset: `mutation ($input: ResetScopeStatesInput!) {
    resetScopeStates(input: $input) { outcome matched changed planToken }
  }`,
  delete: `mutation ($input: DeleteScopeStatesInput!) {
    deleteScopeStates(input: $input) { outcome matched changed planToken }
  }`,
  activate: `mutation ($input: SetScopeActivationInput!) {
    setScopeActivation(input: $input) { outcome matched changed planToken }
  }`,
  undo: `mutation ($input: UndoScopeStateChangeInput!) {
    undoScopeStateChange(input: $input) {
      outcome matched changed planToken movedOnCount movedOn { ...Change } sample { ...State }
    }
  } ${changeFields} ${stateFields}`,
};

export type Operation = 'reset' | 'delete' | 'activate' | 'undo';

const fields: Record<Operation, string> = {
  reset: 'resetScopeStates',
  delete: 'deleteScopeStates',
  activate: 'setScopeActivation',
  undo: 'undoScopeStateChange',
};

/** The words of the history's tests, beside those of the states'. */
export class HistoryApi {
  readonly states: StateApi;

  constructor(states: StateApi) {
    this.states = states;
  }

  readonly changes = async (filter: Record<string, unknown>, first = 1000, after?: string) =>
    (await this.states.server.data(documents.changes, { filter, first, after })).scopeStateChanges;

  /** oldest first */
  readonly kindsOf = async (scopeId: string): Promise<string[]> => {
    const nodes: { kind: string }[] = (await this.changes({ scopeIds: [scopeId] })).nodes;
    return nodes.map(({ kind }) => kind).reverse();
  };

  /** newest first */
  readonly ofState = async (id: string): Promise<any[]> =>
    (await this.states.server.data(documents.ofState, { id })).node.changes.nodes;

  readonly node = async (id: string) => (await this.states.server.data(documents.node, { id })).node;

  readonly asOf = async (unit: object, at: string) =>
    (await this.states.server.data(documents.asOf, { unit, at })).scopeStateAsOf;

  readonly askAsOf = (unit: object, at: string) => this.states.server.ask(documents.asOf, { unit, at });

  readonly ask = (operation: Operation, input: object) =>
    this.states.server.ask(documents[operation], { input: { reason: 'a test', ...input } });

  async run(operation: Operation, input: object): Promise<any> {
    const { data, errors } = await this.ask(operation, input);
    if (errors) throw new Error(JSON.stringify(errors));
    return data![fields[operation]];
  }

  /** plans and applies */
  async apply(operation: Operation, input: object): Promise<any> {
    const { planToken } = await this.run(operation, input);
    const applied = await this.run(operation, { ...input, planToken });
    if (applied.outcome !== 'APPLIED') throw new Error(JSON.stringify(applied));
    return applied;
  }
}

export function useHistoryApi(
  create: () => Promise<TestDatabase>,
  settings: Record<string, string> = {},
): HistoryApi {
  return new HistoryApi(useStateApi(create, settings));
}
