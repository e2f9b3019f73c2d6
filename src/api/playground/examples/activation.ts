import { playgroundPrefix, unitOf, type ExampleGroup } from './example.js';
import { placeholders } from './placeholders.js';

const query = /* GraphQL */ `
  mutation SetActivation($input: SetScopeActivationInput!) {
    setScopeActivation(input: $input) {
      outcome
      matched
      changed
      unmatched
      planToken
      sample {
        scopeId
        active
        scopeActivationToggleDate
      }
    }
  }
`;

const units = { select: { units: [unitOf('created')] } };
const filter = {
  select: { filter: { scopeIdPrefix: playgroundPrefix } },
  active: true,
  reason: 'the contracts were renewed',
};

export const activation: ExampleGroup = {
  name: 'Switch on and off',
  examples: [
    {
      title: 'APPLIED: off, at once',
      comment: 'Expect APPLIED: units and ids are switched at once. The scope keeps its state.',
      outcome: 'APPLIED',
      query,
      variables: { input: { ...units, active: false, reason: 'the contract ended' } },
    },
    {
      title: 'APPLIED: on again',
      comment: 'Expect APPLIED, with changed: 1. Sent once more it is APPLIED with changed: 0.',
      outcome: 'APPLIED',
      query,
      variables: { input: { ...units, active: true, reason: 'the contract was renewed' } },
    },
    {
      title: 'PLANNED: dry run of a filter',
      comment: 'Expect PLANNED: what a filter selects is planned first. Nothing is changed.',
      outcome: 'PLANNED',
      query,
      variables: { input: filter },
    },
    {
      title: 'APPLIED: the plan',
      comment: 'Expect APPLIED after the dry run, whose planToken is filled in when you open this example.',
      outcome: 'APPLIED',
      query,
      variables: { input: { ...filter, planToken: placeholders.planToken } },
    },
    {
      title: 'PLAN_STALE: a second click',
      comment: 'Expect PLAN_STALE if the plan above has switched anything: a plan is applied once.',
      outcome: 'PLAN_STALE',
      query,
      variables: { input: { ...filter, planToken: placeholders.planToken } },
    },
  ],
};
