import { unitOf, type ExampleGroup } from './example.js';
import { placeholders } from './placeholders.js';

const queryChanges = /* GraphQL */ `
  query WhoChangedWhat($filter: ScopeStateChangeFilter, $first: Int, $after: String) {
    scopeStateChanges(filter: $filter, first: $first, after: $after) {
      nodes {
        changeId: id
        kind
        changedAt
        actor
        reason
        requestId
        before {
          lastProcessedTimestamp
          active
          version
        }
        after {
          lastProcessedTimestamp
          active
          version
        }
      }
      pageInfo {
        hasNextPage
      }
    }
  }
`;

const queryOfState = /* GraphQL */ `
  query HistoryOfAState($unit: CollectionUnitInput!) {
    scopeState(unit: $unit) {
      lastProcessedTimestamp
      changes(first: 10) {
        nodes {
          kind
          changedAt
          actor
        }
      }
    }
  }
`;

const queryAsOf = /* GraphQL */ `
  query AsOf($unit: CollectionUnitInput!, $at: DateTime!) {
    scopeStateAsOf(unit: $unit, at: $at) {
      lastProcessedTimestamp
      active
      version
      lag
    }
  }
`;

const queryCreate = /* GraphQL */ `
  mutation CreateStateWithAHistory($input: CreateScopeStateInput!) {
    createScopeState(input: $input) {
      outcome
    }
  }
`;

const querySwitchOff = /* GraphQL */ `
  mutation SwitchOffByMistake($input: SetScopeActivationInput!) {
    setScopeActivation(input: $input) {
      outcome
      changed
    }
  }
`;

const queryUndo = /* GraphQL */ `
  mutation Undo($input: UndoScopeStateChangeInput!) {
    undoScopeStateChange(input: $input) {
      outcome
      matched
      changed
      planToken
      movedOnCount
      movedOn {
        scopeId
        kind
        changedAt
      }
      sample {
        scopeId
        active
        lastProcessedTimestamp
      }
    }
  }
`;

const unit = unitOf('history');
const undo = { changeId: placeholders.changeId, reason: 'it was another customer' };

export const history: ExampleGroup = {
  name: 'History',
  examples: [
    {
      title: 'First: a state',
      comment: 'Expect CREATED. The examples below look at the history of this state.',
      outcome: 'CREATED',
      query: queryCreate,
      variables: { input: { unit, lastProcessedTimestamp: '2026-01-01T00:00:00Z' } },
    },
    {
      title: 'Then: a mistake',
      comment: 'Expect APPLIED: the scope is switched off.',
      outcome: 'APPLIED',
      query: querySwitchOff,
      variables: { input: { select: { units: [unit] }, active: false, reason: 'does not pay' } },
    },
    {
      title: 'Who changed what, and why',
      comment: 'Changes of states, newest first, here only of one scope and one kind.',
      query: queryChanges,
      variables: { filter: { scopeIds: [unit.scopeId], kinds: ['DEACTIVATED'] }, first: 10, after: null },
    },
    {
      title: 'The history of a state',
      comment: 'Every state has its changes with it.',
      query: queryOfState,
      variables: { unit },
    },
    {
      title: 'A state as of a time',
      comment:
        'The state as it stood then: when the example above has changed it, whose time is filled in here.',
      query: queryAsOf,
      variables: { unit, at: placeholders.changedAt },
    },
    {
      title: 'Undo: PLANNED',
      comment: 'Expect PLANNED: what would be undone, and the planToken. Nothing is changed.',
      outcome: 'PLANNED',
      query: queryUndo,
      variables: { input: undo },
    },
    {
      title: 'Undo: APPLIED',
      comment: 'Expect APPLIED after the dry run: the scope is switched on again.',
      outcome: 'APPLIED',
      query: queryUndo,
      variables: { input: { ...undo, planToken: placeholders.planToken } },
    },
    {
      title: 'Undo: PLAN_STALE',
      comment: 'Expect PLAN_STALE: the state has moved on, it was switched on again; movedOn lists it.',
      outcome: 'PLAN_STALE',
      query: queryUndo,
      variables: { input: undo },
    },
  ],
};
