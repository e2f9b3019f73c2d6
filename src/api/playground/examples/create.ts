import { unitOf, type ExampleGroup } from './example.js';

const query = /* GraphQL */ `
  mutation Create($input: CreateScopeStateInput!) {
    createScopeState(input: $input) {
      outcome
      scopeState {
        id
        scopeId
        lastProcessedTimestamp
        active
        version
      }
    }
  }
`;

const lastProcessedTimestamp = '2026-01-01T00:00:00Z';

export const create: ExampleGroup = {
  name: 'Create',
  examples: [
    {
      title: 'CREATED',
      comment: 'Expect CREATED: the unit gets its first state. Run twice it is ALREADY_EXISTS.',
      outcome: 'CREATED',
      query,
      variables: { input: { unit: unitOf('created'), lastProcessedTimestamp, active: true } },
    },
    {
      title: 'ALREADY_EXISTS',
      comment:
        'Expect ALREADY_EXISTS after the example above, with the state that the unit has: nothing was changed.',
      outcome: 'ALREADY_EXISTS',
      query,
      variables: {
        input: { unit: unitOf('created'), lastProcessedTimestamp: '2026-01-05T00:00:00Z', active: true },
      },
    },
    {
      title: 'IN_FUTURE',
      comment: 'Expect IN_FUTURE: nobody can have rated what has not happened yet. Nothing is written.',
      outcome: 'IN_FUTURE',
      query,
      variables: {
        input: { unit: unitOf('future'), lastProcessedTimestamp: '9999-01-01T00:00:00Z', active: true },
      },
    },
    {
      title: 'CREATED, switched off',
      comment: 'Expect CREATED, with active: false. This scope refuses advances until it is switched on.',
      outcome: 'CREATED',
      query,
      variables: { input: { unit: unitOf('inactive'), lastProcessedTimestamp, active: false } },
    },
  ],
};
