import { describe, expect, test } from '@jest/globals';
import { useStateApi } from '../support/state-api.js';
import { createTestDatabase } from '../support/test-database.js';
import type { Answer } from '../support/test-server.js';

const api = useStateApi(() => createTestDatabase());

const conditional: [name: string, query: string][] = [
  ['@skip with a variable', 'subscription ($s: Boolean!) { scopeStateChanged @skip(if: $s) { sequence } }'],
  ['@include with a literal', 'subscription { scopeStateChanged @include(if: true) { sequence } }'],
  ['@skip without its argument', 'subscription { scopeStateChanged @skip { sequence } }'],
  ['@skip of a text', 'subscription { scopeStateChanged @skip(if: "x") { sequence } }'],
  [
    'a fragment',
    `subscription ($s: Boolean!) { ...F }
     fragment F on Subscription { ... @include(if: $s) { scopeStateChanged { sequence } } }`,
  ],
  [
    'a spread',
    `subscription ($s: Boolean!) { ...F @skip(if: $s) } fragment F on Subscription { scopeStateChanged { sequence } }`,
  ],
  [
    'another operation of the document',
    `query Q { __typename } subscription S($s: Boolean!) { scopeStateChanged @include(if: $s) { sequence } }`,
  ],
];

async function ask(path: string, accept: string, query: string): Promise<Response> {
  const operationName = query.startsWith('query Q') ? 'Q' : undefined;
  return fetch(new URL(path, api.server.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify({ query, operationName, variables: { s: false } }),
  });
}

const refused = {
  message: 'the field of a subscription can have neither @skip nor @include',
  extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
};

describe.each(conditional)('a subscription whose field depends on a condition: %s', (_name, query) => {
  test('is refused as what it is', async () => {
    const response = await ask('/graphql', 'application/json', query);
    expect(response.status).toBe(400);
    const { errors } = (await response.json()) as Answer;
    expect(errors).toEqual([
      expect.objectContaining({ ...refused, extensions: expect.objectContaining(refused.extensions) }),
    ]);
    expect(api.server.logLines.filter((line) => line.includes('internal-error'))).toEqual([]);
  });

  test('and as an event stream', async () => {
    const response = await ask('/graphql/stream', 'text/event-stream', query);
    expect(await response.text()).toContain(refused.message);
  });
});

test('conditions further inside are none of its', async () => {
  const query = `subscription ($s: Boolean!) {
    scopeStateChanged(afterSequence: "9223372036854775807") { sequence kind @skip(if: $s) }
  }`;
  const response = await ask('/graphql/stream', 'text/event-stream', query);
  expect(await response.text()).toContain('"kind":"RESYNC"');
});
