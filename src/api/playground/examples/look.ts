import { unitOf, type ExampleGroup } from './example.js';
import { placeholders } from './placeholders.js';

export const look: ExampleGroup = {
  name: 'Look',
  examples: [
    {
      title: 'Who is furthest behind',
      comment:
        'The ten active scopes that are furthest behind, the worst first. An empty list on a fresh database.',
      query: /* GraphQL */ `
        query WhoIsBehind($first: Int!) {
          scopeStates(filter: { active: true }, orderBy: { field: LAST_PROCESSED_TIMESTAMP }, first: $first) {
            totalCount
            nodes {
              scopeId
              collector
              lastProcessedTimestamp
              lag
              duePeriods
            }
          }
        }
      `,
      variables: { first: 10 },
    },
    {
      title: 'The state of one unit',
      comment:
        'What a check would answer, without taking anything over. null if the unit has no state, and its scope id no legacy one.',
      query: /* GraphQL */ `
        query StateOfUnit($unit: CollectionUnitInput!) {
          scopeState(unit: $unit) {
            id
            legacy
            lastProcessedTimestamp
            coveredUntil
            active
            version
            nextPeriod {
              start
              end
            }
          }
        }
      `,
      variables: { unit: unitOf('created') },
    },
    {
      title: 'One state by its id',
      comment:
        'Any id that was answered; null if that state is gone. The variable is filled in from your last answer with an id.',
      query: /* GraphQL */ `
        query StateById($id: ID!) {
          node(id: $id) {
            id
            ... on ScopeState {
              scopeId
              lastProcessedTimestamp
            }
          }
        }
      `,
      variables: { id: placeholders.id },
    },
    {
      title: 'Pages: the first one',
      comment:
        'Sorted by scope id. Go on with the next example if hasNextPage says so; its cursor is filled in.',
      query: /* GraphQL */ `
        query FirstPage($first: Int!) {
          scopeStates(first: $first) {
            totalCount
            nodes {
              scopeId
              lastProcessedTimestamp
            }
            pageInfo {
              hasNextPage
              endCursor
            }
          }
        }
      `,
      variables: { first: 5 },
    },
    {
      title: 'Pages: the next one',
      comment: 'What follows the cursor. Run it after the first page: open it again for each page more.',
      query: /* GraphQL */ `
        query NextPage($first: Int!, $after: String!) {
          scopeStates(first: $first, after: $after) {
            nodes {
              scopeId
              lastProcessedTimestamp
            }
            pageInfo {
              hasNextPage
              hasPreviousPage
              endCursor
            }
          }
        }
      `,
      variables: { first: 5, after: placeholders.endCursor },
    },
    {
      title: 'Pages: the last one',
      comment: 'last and before page backwards; the order of the nodes stays.',
      query: /* GraphQL */ `
        query LastPage($last: Int!) {
          scopeStates(last: $last) {
            nodes {
              scopeId
              lastProcessedTimestamp
            }
            pageInfo {
              hasPreviousPage
              startCursor
            }
          }
        }
      `,
      variables: { last: 5 },
    },
    {
      title: 'Filters',
      comment:
        'Values of one field are ORed, fields are ANDed: active projects that gnocchi or monasca reads and that have not got to 2026-02-01.',
      query: /* GraphQL */ `
        query Filtered($filter: ScopeStateFilter!) {
          scopeStates(filter: $filter, first: 20) {
            totalCount
            nodes {
              scopeId
              collector
              lastProcessedTimestamp
            }
          }
        }
      `,
      variables: {
        filter: {
          scopeKeys: ['project_id'],
          collectors: ['gnocchi', 'monasca'],
          active: true,
          processedBefore: '2026-02-01T00:00:00Z',
        },
      },
    },
    {
      title: 'Legacy states',
      comment:
        'States from before collection units existed: they have a scope id only, and belong to the first unit that is checked or advanced.',
      query: /* GraphQL */ `
        query LegacyStates($first: Int!) {
          scopeStates(filter: { legacy: true }, first: $first) {
            totalCount
            nodes {
              scopeId
              legacy
              lastProcessedTimestamp
            }
          }
        }
      `,
      variables: { first: 10 },
    },
  ],
};
