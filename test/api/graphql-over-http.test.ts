import { expect, test } from '@jest/globals';
import { useStateApi } from '../support/state-api.js';
import { createTestDatabase } from '../support/test-database.js';

const api = useStateApi(() => createTestDatabase());

test('an empty operationName of a GET is none', async () => {
  const headers = { 'apollo-require-preflight': '1' };
  const response = await fetch(`${api.server.url}?query=%7B__typename%7D&operationName=`, { headers });
  expect([response.status, await response.json()]).toEqual([200, { data: { __typename: 'Query' } }]);
});

test('what has no data has no status of success, where the answer is of GraphQL’s own type', async () => {
  const extensions = { persistedQuery: { version: 1, sha256Hash: 'x' } };
  for (const [accept, status] of [
    ['application/graphql-response+json', 400],
    ['application/json', 200],
  ] as const) {
    const headers = { 'content-type': 'application/json', accept };
    const response = await fetch(api.server.url, {
      method: 'POST',
      headers,
      body: JSON.stringify({ extensions }),
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  }
});
