import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer } from '../support/test-server.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

// A terminal signals the server, and so does npm: `npm start` gets two for one Ctrl-C.
test.each([
  ['SIGINT', 'SIGINT'],
  ['SIGINT', 'SIGTERM'],
] as const)('%s and %s at once stop the server cleanly', async (first, second) => {
  const server = await startServer({ DATABASE_URL: database.url });
  const closed = once(server.process, 'close');
  server.process.kill(first);
  server.process.kill(second);
  expect(await closed).toEqual([0, null]);
  expect(server.logLines.at(-1)).toContain('"event":"stopped"');
});
