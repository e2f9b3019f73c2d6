import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer, type TestServer } from '../support/test-server.js';
import { scaled } from '../support/units.js';
import { AdvancingClient } from './advancing-client.js';
import { promised } from '../support/promised.js';
import { until } from '../support/until.js';

jest.setTimeout(900_000); // the full run's rounds

const rounds = scaled(100, 6);
const exitMillis = promised(10_000);

let database: TestDatabase;
let servers: TestServer[];
let clients: AdvancingClient[];

beforeAll(async () => {
  database = await createTestDatabase();
  const settings = { DATABASE_URL: database.url };
  servers = await Promise.all([startServer(settings), startServer(settings)]);
  const urls = servers.map(({ url }) => url);
  clients = Array.from({ length: 12 }, (_, index) => new AdvancingClient(urls, index));
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.stop()));
  await Promise.all(servers.map((server) => server.stop()));
  await database.drop();
});

/**
 * A request is accepted when the server acts on it or answers a byte. One that is refused (no connection, or a kept-alive
 * one that ends without a byte) is sent to the other server, and that one must find it not done: see AdvancingClient.
 */
test(`no accepted request fails in ${rounds} rolling SIGTERMs under load, and every exit is 0`, async () => {
  clients.forEach((client) => client.start());
  const exits: (number | null)[] = [];
  for (let round = 0; round < rounds; round++) {
    const place = round % servers.length;
    await allAdvance();
    const { url } = servers[place]!;
    const startedAt = performance.now();
    exits.push(await servers[place]!.stop());
    expect(performance.now() - startedAt).toBeLessThan(exitMillis);
    await allAdvance();
    servers[place] = await startServer({ DATABASE_URL: database.url, PORT: new URL(url).port });
  }
  await Promise.all(clients.map((client) => client.stop()));

  expect(exits).toEqual(Array.from({ length: rounds }, () => 0));
  expect(clients.flatMap(({ faults }) => faults)).toEqual([]);
  const codes = new Set(clients.flatMap(({ told }) => [...told.keys()]));
  expect([...codes].filter((code) => !['ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(code))).toEqual([]);
  const moved = clients.filter(({ told }) => told.size > 0).length;
  expect(moved).toBeGreaterThan(0); // else nothing was tried
});

/** Until each client has come further than it is now. */
async function allAdvance(): Promise<void> {
  const before = clients.map(({ steps }) => steps);
  await until('every client advances', () => clients.every(({ steps }, index) => steps > before[index]! + 1));
}
