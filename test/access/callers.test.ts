import { afterEach, expect, test } from '@jest/globals';
import { startServer, type TestServer } from '../support/test-server.js';
import { until } from '../support/until.js';
import { openStream } from './subscribers.js';
import { useTokens } from './tokens.js';

const access = useTokens();
let server: TestServer;

// A test that failed has streams open, which would keep it waiting for ever.
afterEach(() => server.stop());

async function start(settings: Record<string, string>): Promise<void> {
  server = await startServer({ DATABASE_URL: access.database.url, SCOPESTATE_AUTH: 'token', ...settings });
}

const codeFor = async (token?: string) =>
  (await server.ask('{ __typename }', {}, token)).errors?.[0]!.extensions.code;

test('each token has a rate of its own, and whoever guesses has that of his address', async () => {
  await start({ SCOPESTATE_RATE: '1', SCOPESTATE_RATE_BURST: '5' });
  const [busy, other] = [
    await access.tokens.create('busy', 'reader'),
    await access.tokens.create('other', 'reader'),
  ];
  await until('its bucket is empty', async () => (await codeFor(busy.text)) === 'RATE_LIMITED');
  expect(await codeFor(other.text)).toBeUndefined();
  const codes = new Set<string | undefined>();
  for (let n = 0; n < 20; n++) codes.add(await codeFor(busy.text.replace(busy.id, `${n}`.padStart(16, '0'))));
  expect(codes).toEqual(new Set(['UNAUTHENTICATED', 'RATE_LIMITED']));
  expect(await codeFor()).toBe('RATE_LIMITED');
  expect(await codeFor(other.text)).toBeUndefined();
});

test('one token’s subscriptions leave others room, as far as there is room at all', async () => {
  await start({ SCOPESTATE_MAX_SUBSCRIPTIONS: '3', SCOPESTATE_MAX_SUBSCRIPTIONS_PER_CALLER: '2' });
  const [greedy, other] = [
    await access.tokens.create('greedy', 'reader'),
    await access.tokens.create('second', 'reader'),
  ];
  const open = async ({ text }: { text: string }) => {
    const stream = await openStream(server.url, text);
    await stream.begun;
    return stream;
  };
  const refused = async (token: { text: string }) => (await open(token)).text;
  const opened = [await open(greedy), await open(greedy)];
  expect(await refused(greedy)).toContain('subscriptions: found 2 of yours; allowed: 2 ');
  opened.push(await open(other));
  expect(await refused(other)).toMatch(/subscriptions: found 3 in all; allowed: 3 .*"RATE_LIMITED"/);
  await server.stop();
  for (const { text } of opened) expect(await text).not.toContain('RATE_LIMITED');
});

test('in production whoever has said who he is may ask for the schema, and is told what he may have meant', async () => {
  await start({ NODE_ENV: 'production', SCOPESTATE_AUTH: 'none' });
  const { text } = await access.tokens.create('a developer', 'reader');
  const schema = '{ __schema { queryType { name } } }';
  expect(await server.ask(schema, {}, text)).toEqual({
    data: { __schema: { queryType: { name: 'Query' } } },
  });
  const { errors } = await server.ask('{ scopeStat { id } }', {}, text);
  expect(errors![0]!.message).toMatch(/Did you mean "scopeState"/);
  expect((await server.ask(schema)).data).toBeUndefined();
  expect(JSON.stringify(await server.ask('{ scopeStat { id } }'))).not.toMatch(/did you mean/i);
});
