// The part of our schema that is measured, for the peers that are given a schema, and resolvers over a store.
import { GraphQLError } from 'graphql';

export const typeDefs = `
  scalar DateTime
  input CollectionUnitInput { scopeId: String! scopeKey: String! collector: String! fetcher: String! }
  type ScopeState {
    id: ID! scopeId: String! scopeKey: String collector: String fetcher: String
    lastProcessedTimestamp: DateTime! active: Boolean! version: Int!
  }
  input ScopeStateFilter { collectors: [String!] active: Boolean }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type ScopeStateConnection { nodes: [ScopeState!]! pageInfo: PageInfo! }
  type Query {
    scopeState(unit: CollectionUnitInput!): ScopeState
    scopeStates(filter: ScopeStateFilter, first: Int, after: String): ScopeStateConnection!
  }
  enum CheckOutcome { FOUND BACKFILLED UNKNOWN }
  enum AdvanceOutcome { ADVANCED UNCHANGED REGRESSION STALE INACTIVE }
  input CheckScopeStateInput { unit: CollectionUnitInput! }
  type CheckScopeStatePayload { outcome: CheckOutcome! scopeState: ScopeState }
  input AdvanceScopeStateInput { unit: CollectionUnitInput! lastProcessedTimestamp: DateTime! }
  type AdvanceScopeStatePayload { outcome: AdvanceOutcome! scopeState: ScopeState }
  input AdvanceScopeStatesInput { advances: [AdvanceScopeStateInput!]! }
  type AdvanceScopeStatesPayload { results: [AdvanceScopeStatePayload!]! }
  type Mutation {
    checkScopeState(input: CheckScopeStateInput!): CheckScopeStatePayload!
    advanceScopeState(input: AdvanceScopeStateInput!): AdvanceScopeStatePayload!
    advanceScopeStates(input: AdvanceScopeStatesInput!): AdvanceScopeStatesPayload!
  }
`;

export const dateTime = {
  serialize: (text) => text,
  parseValue(text) {
    if (Number.isNaN(Date.parse(text))) throw new GraphQLError('not a DateTime');
    return text;
  },
};

export function resolversOver(store) {
  const payload = ({ outcome, state }) => ({ outcome, scopeState: state });
  return {
    Query: {
      scopeState: (_, { unit }) => store.read(unit),
      async scopeStates(_, { filter, first = 100, after }) {
        const page = await store.page({ first, after, filter: filter && filterOf(filter) });
        return {
          nodes: page.nodes,
          pageInfo: { hasNextPage: page.hasNextPage, endCursor: page.endCursor },
        };
      },
    },
    Mutation: {
      checkScopeState: async (_, { input }) => payload(await store.check(input.unit)),
      advanceScopeState: async (_, { input }) =>
        payload(await store.advance(input.unit, input.lastProcessedTimestamp)),
      async advanceScopeStates(_, { input }) {
        const outcomes = await store.advanceMany(
          input.advances.map(({ unit, lastProcessedTimestamp: timestamp }) => ({ unit, timestamp })),
        );
        return { results: outcomes.map((outcome) => ({ outcome })) };
      },
    },
  };
}

const filterOf = ({ collectors, active }) => ({ collector: collectors?.[0], active });
