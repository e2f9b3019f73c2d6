import { unitOf, type ExampleGroup } from './example.js';
import { placeholders } from './placeholders.js';

const query = /* GraphQL */ `
  mutation Check($input: CheckScopeStateInput!) {
    checkScopeState(input: $input) {
      outcome
      scopeState {
        id
        scopeId
        collector
        lastProcessedTimestamp
        version
      }
      nextPeriod {
        start
        end
      }
    }
  }
`;

const queryMany = /* GraphQL */ `
  mutation CheckMany($input: CheckScopeStatesInput!) {
    checkScopeStates(input: $input) {
      results {
        outcome
        scopeState {
          scopeId
          lastProcessedTimestamp
        }
        nextPeriod {
          start
          end
        }
      }
    }
  }
`;

export const check: ExampleGroup = {
  name: 'Check',
  examples: [
    {
      title: 'FOUND',
      comment: 'Expect FOUND after “Create: CREATED”: the unit’s state, and the period to rate next.',
      outcome: 'FOUND',
      query,
      variables: { input: { unit: unitOf('created') } },
    },
    {
      title: 'UNKNOWN',
      comment:
        'Expect UNKNOWN: no state, and no legacy one. Nothing is written; nextPeriod is the first of this month, once it is due.',
      outcome: 'UNKNOWN',
      query,
      variables: { input: { unit: unitOf('unknown') } },
    },
    {
      title: 'BACKFILLED',
      comment:
        'Expect BACKFILLED: a legacy state becomes this unit’s, exactly once. Needs one: run “Look: Legacy states” first, its first scope id is filled in.',
      outcome: 'BACKFILLED',
      query,
      variables: { input: { unit: { ...unitOf(''), scopeId: placeholders.legacyScopeId } } },
    },
    {
      title: 'Many at once',
      comment:
        'Expect FOUND and UNKNOWN, in the order asked. Up to 1,000 units, in one transaction: an error would mean that none was done.',
      outcome: 'FOUND, UNKNOWN',
      query: queryMany,
      variables: { input: { units: [unitOf('created'), unitOf('unknown')] } },
    },
  ],
};
