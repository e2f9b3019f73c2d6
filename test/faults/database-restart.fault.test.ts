import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { startServer, type TestServer } from '../support/test-server.js';
import { scaled } from '../support/units.js';
import { AdvancingClient } from './advancing-client.js';
import { OwnPostgres } from '../support/own-postgres.js';
import { until } from '../support/until.js';

jest.setTimeout(900_000); // the full run's rounds

const rounds = scaled(20, 3);
/** A statement has 30 seconds, and 5 more for its answer to come: src/database/deadlines.ts. */
const longestAnswerMillis = 40_000;

const look = 'query ($unit: CollectionUnitInput!) { scopeState(unit: $unit) { version } }';

/** It waits for an answer that does not come, and no scale makes that shorter. */
const isFullRun = scaled(10) >= 10;
const fullRunTest = isFullRun ? test : test.skip;
if (!isFullRun) console.log('skipped: a frozen database takes 40 s; npm run test:full has it');

let postgres: OwnPostgres;
let server: TestServer;
let clients: AdvancingClient[];

beforeAll(async () => {
  postgres = await OwnPostgres.create();
  server = await startServer({ DATABASE_URL: postgres.url });
});
beforeEach(() => {
  clients = Array.from({ length: 12 }, () => new AdvancingClient([server.url]));
  clients.forEach((client) => client.start());
});
afterEach(() => Promise.all(clients.map((client) => client.stop())));
afterAll(async () => {
  await server.stop();
  await postgres.remove();
});

test(`the database stops and starts ${rounds} times under load: no false success, no crash`, async () => {
  for (let round = 0; round < rounds; round++) {
    await allGrow(({ steps }) => steps);
    await postgres.stop((['SIGINT', 'SIGQUIT', 'SIGKILL'] as const)[round % 3]!);
    const acknowledged = clients.map((client) => client.acknowledged);
    await allGrow((client) => client.told.get('UNAVAILABLE') ?? 0);
    await postgres.start();
    await expectStored(acknowledged);
  }
  await expectOnlyTruth();
  expect(codesTold()).toContain('UNAVAILABLE');
});

fullRunTest(
  'the database freezes under load: every caller is told in time, and goes on when it wakes',
  async () => {
    await allGrow(({ steps }) => steps);
    await postgres.signalAll('SIGSTOP');
    const startedAt = performance.now();
    const looked = server.ask(look, { unit: clients[0]!.unit }).then(({ errors }) => {
      expect(errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }]);
      expect(performance.now() - startedAt).toBeLessThan(longestAnswerMillis);
    });
    await until(
      'every client is told',
      () => clients.every(({ told }) => told.size > 0),
      2 * longestAnswerMillis,
    );
    // An advance that is on its way may yet be done, and each is told so; a look changes nothing.
    await looked;
    await postgres.signalAll('SIGCONT');
    await expectOnlyTruth();
  },
);

/** Lets the clients go on, and then compares what they were told with what is stored. */
async function expectOnlyTruth(): Promise<void> {
  await allGrow(({ steps }) => steps);
  await Promise.all(clients.map((client) => client.stop()));
  await expectStored(clients.map((client) => client.acknowledged));

  expect(clients.flatMap(({ faults }) => faults)).toEqual([]);
  expect(codesTold().filter((code) => !['UNAVAILABLE', 'OUTCOME_UNKNOWN'].includes(code))).toEqual([]);
  expect(Math.max(...clients.map(({ longestMillis }) => longestMillis))).toBeLessThan(longestAnswerMillis);
  expect(server.process.exitCode).toBeNull();
}

const codesTold = (): string[] => clients.flatMap(({ told }) => [...told.keys()]);

/** Until a number has grown for each client. */
async function allGrow(numberOf: (client: AdvancingClient) => number): Promise<void> {
  const before = clients.map(numberOf);
  await until('it grows for every client', () =>
    clients.every((client, index) => numberOf(client) > before[index]! + 1),
  );
}

/** At least as far as acknowledged: meanwhile the clients may have gone on. */
async function expectStored(acknowledged: (string | null)[]): Promise<void> {
  const rows = await postgres.query<{ identifier: string; at: string }>(
    `select identifier, to_char(last_processed_timestamp, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at
     from cloudkitty_storage_states`,
  );
  const stored = new Map(rows.map(({ identifier, at }) => [identifier, at]));
  const lost = clients.filter(({ unit }, index) => {
    const at = acknowledged[index];
    return at != null && !((stored.get(unit.scopeId) ?? '') >= at);
  });
  expect(lost.map(({ unit }) => unit.scopeId)).toEqual([]);
}
