import { unitOf, type ExampleGroup } from './example.js';

const query = /* GraphQL */ `
  mutation Advance($input: AdvanceScopeStateInput!) {
    advanceScopeState(input: $input) {
      outcome
      backfilled
      scopeState {
        id
        scopeId
        lastProcessedTimestamp
        coveredUntil
        duePeriods
        version
      }
    }
  }
`;

const queryMany = /* GraphQL */ `
  mutation AdvanceMany($input: AdvanceScopeStatesInput!) {
    advanceScopeStates(input: $input) {
      results {
        outcome
        scopeState {
          scopeId
          lastProcessedTimestamp
        }
      }
    }
  }
`;

const unit = unitOf('advanced');
const [first, second, third] = ['2026-01-01T00:00:00Z', '2026-01-01T01:00:00Z', '2026-01-01T02:00:00Z'];

export const advance: ExampleGroup = {
  name: 'Advance',
  examples: [
    {
      title: 'CREATED',
      comment: 'Expect CREATED: expected: null says “it has no state yet”, and it has none.',
      outcome: 'CREATED',
      query,
      variables: { input: { unit, lastProcessedTimestamp: first, expected: null } },
    },
    {
      title: 'ADVANCED',
      comment: 'Expect ADVANCED after the example above: one hour is rated, and what was expected is stored.',
      outcome: 'ADVANCED',
      query,
      variables: { input: { unit, lastProcessedTimestamp: second, expected: first } },
    },
    {
      title: 'UNCHANGED: sent again',
      comment:
        'Expect UNCHANGED: the very same request once more, as after a lost answer. Always safe to send.',
      outcome: 'UNCHANGED',
      query,
      variables: { input: { unit, lastProcessedTimestamp: second, expected: first } },
    },
    {
      title: 'REGRESSION: going back',
      comment: 'Expect REGRESSION: earlier than what is stored. Nothing is changed; only a reset goes back.',
      outcome: 'REGRESSION',
      query,
      variables: { input: { unit, lastProcessedTimestamp: '2025-12-31T23:00:00Z' } },
    },
    {
      title: 'STALE: not what was expected',
      comment:
        'Expect STALE: the stored state is not the expected one, so somebody else was at work. Check again, then rate what is due.',
      outcome: 'STALE',
      query,
      variables: {
        input: { unit, lastProcessedTimestamp: third, expected: '2025-12-31T00:00:00Z' },
      },
    },
    {
      title: 'IN_FUTURE',
      comment: 'Expect IN_FUTURE: later than the database’s clock. Look at your own clock.',
      outcome: 'IN_FUTURE',
      query,
      variables: { input: { unit, lastProcessedTimestamp: '9999-01-01T00:00:00Z' } },
    },
    {
      title: 'INACTIVE',
      comment: 'Expect INACTIVE after “Create: CREATED, switched off”: leave such a scope alone.',
      outcome: 'INACTIVE',
      query,
      variables: { input: { unit: unitOf('inactive'), lastProcessedTimestamp: second, expected: first } },
    },
    {
      title: 'Many at once',
      comment:
        'Expect ADVANCED and CREATED: each item has an outcome of its own. Up to 1,000, in one transaction.',
      outcome: 'ADVANCED, CREATED',
      query: queryMany,
      variables: {
        input: {
          advances: [
            { unit, lastProcessedTimestamp: third, expected: second },
            { unit: unitOf('advanced', 'monasca'), lastProcessedTimestamp: first, expected: null },
          ],
        },
      },
    },
  ],
};
