import { playgroundPrefix, type ExampleGroup } from './example.js';
import { placeholders } from './placeholders.js';

const query = /* GraphQL */ `
  mutation Delete($input: DeleteScopeStatesInput!) {
    deleteScopeStates(input: $input) {
      outcome
      matched
      changed
      planToken
      sample {
        scopeId
        lastProcessedTimestamp
      }
    }
  }
`;

const input = {
  select: { filter: { scopeIdPrefix: playgroundPrefix } },
  reason: 'done with the playground’s examples',
};

export const deletion: ExampleGroup = {
  name: 'Delete',
  examples: [
    {
      title: 'PLANNED: dry run',
      comment: 'Expect PLANNED: what would be deleted, here all that these examples have made.',
      outcome: 'PLANNED',
      query,
      variables: { input },
    },
    {
      title: 'APPLIED: clean up',
      comment:
        'Expect APPLIED after the dry run, whose planToken is filled in when you open this example. Then you can start over.',
      outcome: 'APPLIED',
      query,
      variables: { input: { ...input, planToken: placeholders.planToken } },
    },
    {
      title: 'PLAN_STALE: a second click',
      comment:
        'Expect PLAN_STALE: what was planned is gone. Any change spoils a deletion’s plan, an advance too.',
      outcome: 'PLAN_STALE',
      query,
      variables: { input: { ...input, planToken: placeholders.planToken } },
    },
  ],
};
