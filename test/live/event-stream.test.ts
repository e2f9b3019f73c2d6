import { expect, test } from '@jest/globals';
import { createClient } from 'graphql-sse';
import { useStateApi } from '../support/state-api.js';
import { beyondAll, presentSequence, subscription, type Event } from '../support/subscriber.js';
import { createTestDatabase } from '../support/test-database.js';
import { unit } from '../support/units.js';

const api = useStateApi(() => createTestDatabase());
const address = () => new URL('/graphql/stream', api.server.url);

const post = (body: string, headers: Record<string, string> = {}) =>
  fetch(address(), {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
    body,
  });

const textOf = async (variables: Record<string, unknown>, query = subscription) =>
  (await post(JSON.stringify({ query, variables }))).text();

test('the client of graphql-sse gets the changes of its filter, and ends when it wants', async () => {
  const one = unit();
  const afterSequence = await presentSequence(api.server.url);
  const client = createClient({ url: address().href, retryAttempts: 0 });
  const results = client.iterate<{ scopeStateChanged: Event }>({
    query: subscription,
    variables: { filter: { scopeIds: [one.scopeId] }, afterSequence },
  });
  const kinds: string[] = [];
  for (const hour of ['00', '01', '02']) {
    await api.advance({ unit: one, lastProcessedTimestamp: `2026-01-01T${hour}:00:00Z` });
    const { value } = await results.next();
    kinds.push(value!.data!.scopeStateChanged.kind);
  }
  expect(kinds).toEqual(['CREATED', 'ADVANCED', 'ADVANCED']);
  await results.return!();
  client.dispose();
});

test('a stream begins with a comment, and is completed', async () => {
  const response = await post(
    JSON.stringify({ query: subscription, variables: { afterSequence: beyondAll } }),
  );
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'text/event-stream; charset=utf-8',
  ]);
  expect(response.headers.get('x-request-id')).toMatch(/./);
  expect(await response.text()).toMatch(
    /^:\n\nevent: next\ndata: \{"data":\{"scopeStateChanged":\{"sequence":"\d+","kind":"RESYNC".*\}\}\}\n\nevent: complete\ndata:\n\n$/,
  );
});

test('GET does as well, as an EventSource sends it', async () => {
  const url = address();
  url.searchParams.set('query', subscription);
  url.searchParams.set('variables', JSON.stringify({ afterSequence: beyondAll }));
  const response = await fetch(url, { headers: { accept: 'text/event-stream' } });
  expect(await response.text()).toContain('"kind":"RESYNC"');
});

test.each([
  ['no GraphQL', '{', {}, 'GRAPHQL_PARSE_FAILED'],
  ['an unknown field', 'subscription { nothing }', {}, 'GRAPHQL_VALIDATION_FAILED'],
  ['a query', '{ __typename }', {}, 'BAD_USER_INPUT'],
  ['a bad sequence', subscription, { afterSequence: 'x' }, 'BAD_USER_INPUT'],
  ['a variable of another type', subscription, { filter: { active: 'maybe' } }, 'BAD_USER_INPUT'],
])(
  '%s: the stream says so, with a code and the request’s id, and is completed',
  async (_, query, variables, code) => {
    const text = await textOf(variables, query);
    expect(text).toMatch(
      new RegExp(
        `^event: next\\ndata: \\{"errors":\\[\\{.*"code":"${code}".*"requestId":"[^"]+".*\\n\\nevent: complete\\ndata:\\n\\n$`,
      ),
    );
  },
);

test.each([
  ['{', 400],
  ['[]', 400],
  ['{}', 400],
  ['{"query":1}', 400],
  ['{"query":"{ x }","variables":[]}', 400],
  ['{"query":"{ x }","operationName":1}', 400],
  [`{"query":"${'x'.repeat(5 * 1024 * 1024)}"}`, 413],
])('a body that is no request (%#) is refused in the form of all refusals', async (body, status) => {
  const response = await post(body);
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({
    errors: [{ extensions: { code: 'BAD_USER_INPUT', requestId: expect.any(String) } }],
  });
});

test('who takes no event stream is told what to accept', async () => {
  const response = await post('{}', { accept: 'application/json' });
  expect(response.status).toBe(406);
  expect(JSON.stringify(await response.json())).toContain('text/event-stream');
});
