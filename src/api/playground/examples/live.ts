import { playgroundPrefix, type ExampleGroup } from './example.js';

export const live: ExampleGroup = {
  name: 'Live',
  examples: [
    {
      title: 'Changes as they happen',
      comment: 'Stays open: run it, then run other examples in another tab. The button that ran it ends it.',
      query: /* GraphQL */ `
        subscription Changes($filter: ScopeStateFilter) {
          scopeStateChanged(filter: $filter) {
            sequence
            kind
            changedAt
            scopeStateId
            scopeState {
              scopeId
              collector
              lastProcessedTimestamp
              active
            }
          }
        }
      `,
      variables: { filter: { scopeIdPrefix: playgroundPrefix } },
    },
    {
      title: 'RESYNC: where to begin',
      comment:
        'There is no such sequence, so the answer is a RESYNC: take its sequence, load your list, then subscribe after it. Nothing between the two is missed.',
      query: /* GraphQL */ `
        subscription WhereToBegin($afterSequence: String!) {
          scopeStateChanged(afterSequence: $afterSequence) {
            sequence
            kind
          }
        }
      `,
      variables: { afterSequence: '9223372036854775807' },
    },
  ],
};
