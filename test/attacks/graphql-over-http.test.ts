import { describe, expect, test } from '@jest/globals';
import { serverAudits } from 'graphql-http';
import { useAttackedServer } from './attacked-server.js';

const attacked = useAttackedServer();

/** Audits of the suite that do not pass, each with the reason; one of them that passes fails the test, too. */
const exceptions: Record<string, string> = {
  '5A70': 'a GET without a header that needs a preflight is stopped: CSRF prevention',
  D6D5: 'a GET without a header that needs a preflight is stopped: CSRF prevention',
  '6A70': 'a GET without a header that needs a preflight is stopped: CSRF prevention',
  '572B': 'Apollo answers 400 to a document that can’t be parsed, where 200 is preferred',
  FDE2: 'Apollo answers 400 to a document that is not valid, where 200 is preferred',
  '7B9B': 'Apollo answers 400 to variables that can’t be coerced, where 200 is preferred',
};

const audits = serverAudits({ url: () => attacked.server.url });

describe('GraphQL over HTTP, as the suite of graphql-http audits it', () => {
  test.each(audits.map((audit) => [audit.name, audit] as const))('%s', async (name, audit) => {
    const result = await audit.fn();
    const reason = 'reason' in result ? result.reason : undefined;
    expect({ reason, status: result.status }).toEqual(
      audit.id in exceptions
        ? { reason: expect.any(String), status: name.startsWith('SHOULD') ? 'warn' : 'notice' }
        : { reason: undefined, status: 'ok' },
    );
  });

  test('every exception is of an audit that there is, and none is a MUST', () => {
    const names = new Map(audits.map(({ id, name }) => [id, name as string]));
    for (const id of Object.keys(exceptions)) expect(names.get(id)).toMatch(/^(SHOULD|MAY) /);
  });

  test('with the header that a form can’t send, the stopped GETs are answered', async () => {
    const headers = { 'apollo-require-preflight': '1', accept: 'application/graphql-response+json' };
    const query = new URLSearchParams({
      query: 'query ($id: ID!) { node(id: $id) { id } }',
      variables: '{"id":"U2NvcGVTdGF0ZTox"}',
    });
    const answer = await attacked.strikeWith({ headers }, `/graphql?${query.toString()}`);
    expect(answer).toEqual({ status: 200, data: { node: null } });
  });
});
