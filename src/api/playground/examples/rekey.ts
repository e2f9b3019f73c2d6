import { unitOf, type ExampleGroup } from './example.js';
import { placeholders } from './placeholders.js';

const query = /* GraphQL */ `
  mutation Rekey($input: RekeyScopeStateInput!) {
    rekeyScopeState(input: $input) {
      outcome
      scopeState {
        id
        scopeId
        scopeKey
        collector
        fetcher
        lastProcessedTimestamp
      }
    }
  }
`;

const queryCreate = /* GraphQL */ `
  mutation CreateStateToMove($input: CreateScopeStateInput!) {
    createScopeState(input: $input) {
      outcome
      scopeState {
        id
        collector
      }
    }
  }
`;

const reason = 'the collector was renamed';
const unit = unitOf('moved', 'prometheus');

export const rekey: ExampleGroup = {
  name: 'Rekey',
  examples: [
    {
      title: 'First: a state to move',
      comment: 'Expect CREATED. The examples below move this state; its id is filled in when you open them.',
      outcome: 'CREATED',
      query: queryCreate,
      variables: {
        input: { unit: unitOf('moved'), lastProcessedTimestamp: '2026-01-01T00:00:00Z', active: true },
      },
    },
    {
      title: 'REKEYED',
      comment: 'Expect REKEYED: the state belongs to the other unit now, its id and timestamp with it.',
      outcome: 'REKEYED',
      query,
      variables: { input: { id: placeholders.id, unit, reason } },
    },
    {
      title: 'UNCHANGED',
      comment: 'Expect UNCHANGED: it was that unit’s already.',
      outcome: 'UNCHANGED',
      query,
      variables: { input: { id: placeholders.id, unit, reason } },
    },
    {
      title: 'UNIT_TAKEN',
      comment: 'Expect UNIT_TAKEN after “Create: CREATED”: that unit has a state of its own.',
      outcome: 'UNIT_TAKEN',
      query,
      variables: { input: { id: placeholders.id, unit: unitOf('created'), reason } },
    },
    {
      title: 'NOT_FOUND',
      comment: 'Expect NOT_FOUND: a good id, but no state has it.',
      outcome: 'NOT_FOUND',
      query,
      variables: { input: { id: 'U2NvcGVTdGF0ZTo5OTk5OTk5OTk5OTk', unit, reason } },
    },
  ],
};
