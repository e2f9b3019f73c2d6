import { afterEach, expect, test } from '@jest/globals';
import { cleanUp, newDataDir, postmasterPid, processState } from '../database/embedded-folders.js';
import { failingServer, startServer, type TestServer } from '../support/test-server.js';
import { promised } from '../support/promised.js';
import { until } from '../support/until.js';
import { scaled, unit, type Unit } from '../support/units.js';

const longestRestartMillis = promised(5_000);
const collectorCount = 8;

let server: TestServer | undefined;

afterEach(async () => {
  if (server?.process.exitCode === null && server.process.signalCode === null) await server.kill();
  server = undefined;
  await cleanUp();
});

const start = (dataDir: string) => startServer({ SCOPESTATE_DATA_DIR: dataDir });

/** Advances a unit of its own minute by minute, for as long as it is answered, and remembers what it was told. */
class Collector {
  readonly unit: Unit = unit();
  private next = Temporal.Instant.from('2020-01-01T00:00:00Z');
  acknowledged: Temporal.Instant | undefined;
  acknowledgements = 0;
  readonly codes = new Set<string>();

  async run(to: TestServer, onAcknowledged: () => void): Promise<void> {
    for (;;) {
      const answer = await to
        .ask(advance, { unit: this.unit, at: this.next.toString() })
        .catch(() => undefined);
      const outcome = answer?.data?.['advanceScopeState']?.outcome as string | undefined;
      if (outcome === undefined) {
        for (const { extensions } of answer?.errors ?? []) this.codes.add(extensions.code);
        return;
      }
      // UNCHANGED: it was done when the server was killed, and nobody was told.
      expect(['CREATED', 'ADVANCED', 'UNCHANGED']).toContain(outcome);
      this.acknowledged = this.next;
      this.acknowledgements++;
      this.next = this.next.add({ minutes: 1 });
      onAcknowledged();
    }
  }

  /** What is stored is what was acknowledged, or the one advance more whose answer was lost. */
  async expectKept(by: TestServer): Promise<void> {
    const { scopeState } = await by.data(
      `query ($unit: CollectionUnitInput!) { scopeState(unit: $unit) { lastProcessedTimestamp } }`,
      { unit: this.unit },
    );
    const possible = [this.acknowledged?.toString(), this.next.toString()];
    expect(possible).toContain(scopeState?.lastProcessedTimestamp);
  }
}

const advance = /* GraphQL */ `
  mutation ($unit: CollectionUnitInput!, $at: DateTime!) {
    advanceScopeState(input: { unit: $unit, lastProcessedTimestamp: $at }) {
      outcome
    }
  }
`;

interface Load {
  /** so many acknowledgements more */
  acknowledged: (count: number) => Promise<void>;
  /** settles when the last collector was no longer answered */
  ended: Promise<unknown>;
}

function load(on: TestServer, collectors: Collector[]): Load {
  let count = 0;
  const waiting: { at: number; resolve: () => void }[] = [];
  const onAcknowledged = () => {
    count++;
    for (const { at, resolve } of waiting) if (count >= at) resolve();
  };
  const ended = Promise.all(collectors.map((collector) => collector.run(on, onAcknowledged)));
  const acknowledged = (more: number) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiting.push({ at: count + more, resolve });
    ended.then(() => reject(new Error('the collectors are no longer answered')), reject);
    return promise;
  };
  return { ended, acknowledged };
}

const newCollectors = () => Array.from({ length: collectorCount }, () => new Collector());

async function expectAllKept(by: TestServer, collectors: Collector[]): Promise<void> {
  expect(collectors.every(({ acknowledgements }) => acknowledgements > 0)).toBe(true);
  for (const collector of collectors) await collector.expectKept(by);
}

test('a server killed under load has every acknowledged advance when it starts again', async () => {
  const dataDir = await newDataDir();
  const collectors = newCollectors();
  server = await start(dataDir);
  for (let round = 0; round < scaled(10, 2); round++) {
    const { acknowledged, ended } = load(server, collectors);
    await acknowledged(200 + 17 * round);
    await server.kill();
    await ended;

    const startedAt = performance.now();
    server = await start(dataDir);
    expect(performance.now() - startedAt).toBeLessThan(longestRestartMillis);
    await expectAllKept(server, collectors);
  }
  const postmaster = await postmasterPid(dataDir);
  expect(await server.stop()).toBe(0);
  expect([undefined, 'Z']).toContain(await processState(postmaster));
}, 240_000);

test('a second server on the data folder stops with one line, and the first one goes on', async () => {
  const dataDir = await newDataDir();
  const collectors = newCollectors();
  server = await start(dataDir);
  const { acknowledged, ended } = load(server, collectors);
  await acknowledged(50);
  const postmaster = await postmasterPid(dataDir);

  const second = await failingServer({ SCOPESTATE_DATA_DIR: dataDir });
  expect(second).toEqual({
    code: 1,
    lines: [expect.stringMatching(/^scopestate: another scopestate server /)],
  });
  expect(second.lines[0]).toContain(dataDir);
  expect(second.lines[0]).toContain(`process ${server.process.pid}`);

  await acknowledged(50);
  expect(await postmasterPid(dataDir)).toBe(postmaster);
  expect(await server.stop()).toBe(0);
  await ended;
  server = await start(dataDir);
  await expectAllKept(server, collectors);
  expect(await server.stop()).toBe(0);
}, 120_000);

test('a postmaster killed under load costs no acknowledged advance, and the server goes on with another', async () => {
  const dataDir = await newDataDir();
  const collectors = newCollectors();
  server = await start(dataDir);
  const running = server;
  const statusOf = (path: string) => fetch(new URL(path, running.url)).then(({ status }) => status);
  const isAlive = async () => (await statusOf('/livez')) === 200;
  const isReady = async () => (await statusOf('/readyz')) === 200;
  for (let round = 0; round < scaled(10, 2); round++) {
    const { acknowledged, ended } = load(server, collectors);
    await acknowledged(200);
    const postmaster = await postmasterPid(dataDir);
    process.kill(postmaster, 'SIGKILL');
    await ended;
    const codes = new Set(collectors.flatMap((collector) => [...collector.codes]));
    expect(['UNAVAILABLE', 'OUTCOME_UNKNOWN']).toEqual(expect.arrayContaining([...codes]));
    const { unit } = new Collector();
    await until('a write is accepted again', async () => {
      expect(await isAlive()).toBe(true);
      return !(await running.ask(advance, { unit, at: '2020-01-01T00:00:00Z' })).errors;
    });
    await until('it is ready', isReady);
    await expectAllKept(server, collectors);
  }
  expect(running.process.exitCode).toBeNull();
  const postmaster = await postmasterPid(dataDir);
  expect(await server.stop()).toBe(0);
  expect([undefined, 'Z']).toContain(await processState(postmaster));
}, 240_000);
