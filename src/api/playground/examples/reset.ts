import { playgroundPrefix, unitOf, type ExampleGroup } from './example.js';
import { placeholders } from './placeholders.js';

const query = /* GraphQL */ `
  mutation Reset($input: ResetScopeStatesInput!) {
    resetScopeStates(input: $input) {
      outcome
      matched
      changed
      advancedSincePlan
      unmatched
      planToken
      sample {
        scopeId
        collector
        lastProcessedTimestamp
      }
    }
  }
`;

const queryAdvance = /* GraphQL */ `
  mutation AdvanceAfterReset($input: AdvanceScopeStateInput!) {
    advanceScopeState(input: $input) {
      outcome
      scopeState {
        scopeId
        lastProcessedTimestamp
      }
    }
  }
`;

const input = {
  select: { filter: { scopeIdPrefix: playgroundPrefix } },
  lastProcessedTimestamp: '2025-12-01T00:00:00Z',
  reason: 'the prices of December were wrong',
};

export const reset: ExampleGroup = {
  name: 'Reset',
  examples: [
    {
      title: 'PLANNED: dry run',
      comment:
        'Expect PLANNED: how many states it would touch, a sample, and the planToken. Nothing is changed.',
      outcome: 'PLANNED',
      query,
      variables: { input },
    },
    {
      title: 'APPLIED',
      comment: 'Expect APPLIED after the dry run, whose planToken is filled in when you open this example.',
      outcome: 'APPLIED',
      query,
      variables: { input: { ...input, planToken: placeholders.planToken } },
    },
    {
      title: 'PLAN_STALE: a second click',
      comment: 'Expect PLAN_STALE: the plan was applied already. Nothing is changed.',
      outcome: 'PLAN_STALE',
      query,
      variables: { input: { ...input, planToken: placeholders.planToken } },
    },
    {
      title: 'STALE: a collector was at work',
      comment:
        'Expect STALE: this advance began before the reset, and must not undo it. The collector checks again.',
      outcome: 'STALE',
      query: queryAdvance,
      variables: { input: { unit: unitOf('advanced'), lastProcessedTimestamp: '2026-01-01T03:00:00Z' } },
    },
    {
      title: 'IN_FUTURE',
      comment: 'Expect IN_FUTURE: a state can’t be set to what has not happened yet.',
      outcome: 'IN_FUTURE',
      query,
      variables: { input: { ...input, lastProcessedTimestamp: '9999-01-01T00:00:00Z' } },
    },
    {
      title: 'PLANNED: units that are not there',
      comment: 'Expect PLANNED with matched: 1; the unit without a state is listed in unmatched.',
      outcome: 'PLANNED',
      query,
      variables: { input: { ...input, select: { units: [unitOf('created'), unitOf('nobody')] } } },
    },
  ],
};
