import { describe, expect, test } from '@jest/globals';
import { useStateApi } from '../support/state-api.js';
import { createTestDatabase } from '../support/test-database.js';

const api = useStateApi(() => createTestDatabase());

const reset = `mutation ($ids: [ID!]) {
  resetScopeStates(input: { select: { ids: $ids }, lastProcessedTimestamp: "2026-01-01T00:00:00Z", reason: "a test" }) {
    outcome
  }
}`;
const order = `query ($way: OrderDirection = ASC) { scopeStates(first: 1, orderBy: { direction: $way }) { totalCount } }`;
const look = `query ($unit: CollectionUnitInput!) { scopeState(unit: $unit) { id } }`;
const check = `mutation ($input: CheckScopeStateInput!) { checkScopeState(input: $input) { outcome } }`;
const unit = { scopeId: 'a', scopeKey: 'b', collector: 'c' };

describe('a field is named where variables make it wrong:', () => {
  test.each([
    ['a variable inside an argument that is left out', reset, {}, 'input', 'A variable in it was left out'],
    ['a variable inside an argument that is null', order, { way: null }, 'orderBy', 'is null'],
    ['a field that is missing', look, { unit }, 'unit.fetcher', '"fetcher"'],
    ['a field that is missing further inside', check, { input: { unit } }, 'input.unit.fetcher', '"fetcher"'],
    ['a variable that is missing', look, {}, 'unit', '"$unit"'],
  ])('%s', async (_name, query, variables, field, text) => {
    for (let times = 0; times < 3; times++) {
      const { errors } = await api.server.ask(query, variables);
      expect(errors).toHaveLength(1);
      expect(errors![0]!.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
      expect(errors![0]!.message).toContain(text);
    }
  });
});
