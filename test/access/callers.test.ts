import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer, type TestServer } from '../support/test-server.js';
import { until } from '../support/until.js';
import { openStream } from './subscribers.js';
import { Tokens } from './tokens.js';

let database: TestDatabase;
let tokens: Tokens;
let server: TestServer;

beforeAll(async () => {
  database = await createTestDatabase();
  tokens = new Tokens(database);
});
afterAll(async () => {
  await tokens.close();
  await database.drop();
});

async function start(settings: Record<string, string>): Promise<void> {
  server = await startServer({ DATABASE_URL: database.url, SCOPESTATE_AUTH: 'token', ...settings });
}

const codeFor = async (token?: string) =>
  (await server.ask('{ __typename }', {}, token)).errors?.[0]!.extensions.code;

test('each token has a rate of its own, and whoever guesses has that of his address', async () => {
  await start({ SCOPESTATE_RATE: '1', SCOPESTATE_RATE_BURST: '5' });
  const [busy, other] = [await tokens.create('busy', 'reader'), await tokens.create('other', 'reader')];
  await until('its bucket is empty', async () => (await codeFor(busy.text)) === 'RATE_LIMITED');
  expect(await codeFor(other.text)).toBeUndefined();
  const codes = new Set<string | undefined>();
  for (let n = 0; n < 20; n++) codes.add(await codeFor(busy.text.replace(busy.id, `${n}`.padStart(16, '0'))));
  expect(codes).toEqual(new Set(['UNAUTHENTICATED', 'RATE_LIMITED']));
  expect(await codeFor()).toBe('RATE_LIMITED');
  expect(await codeFor(other.text)).toBeUndefined();
  expect(await server.stop()).toBe(0);
});

test('one token’s subscriptions leave others room, as far as there is room at all', async () => {
  await start({ SCOPESTATE_MAX_SUBSCRIPTIONS: '3', SCOPESTATE_MAX_SUBSCRIPTIONS_PER_CALLER: '2' });
  const [greedy, other] = [await tokens.create('greedy', 'reader'), await tokens.create('second', 'reader')];
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
  expect(await server.stop()).toBe(0);
  for (const { text } of opened) expect(await text).not.toContain('RATE_LIMITED');
});
