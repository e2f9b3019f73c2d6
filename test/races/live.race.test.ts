import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { promised } from '../support/promised.js';
import { openSubscriber, presentSequence, type Event } from '../support/subscriber.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer, type TestServer } from '../support/test-server.js';
import { scaled, unit, type Unit } from '../support/units.js';
import { until } from '../support/until.js';

const table = 'cloudkitty_storage_states';
const collectors = ['gnocchi', 'monasca', 'prometheus'];

let database: TestDatabase;
let units: Unit[];
beforeAll(async () => {
  database = await createTestDatabase();
  units = Array.from({ length: 30 }, (_, n) => unit({ collector: collectors[n % collectors.length]! }));
});
afterAll(() => database.drop());

/** What a test that fails on the way would leave running. */
const leftovers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of leftovers.splice(0)) await end();
});

const pick = <T>(values: readonly T[]): T => values[Math.floor(Math.random() * values.length)]!;
const at = (second: number) =>
  new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString().replace('.000', '');

/** The servers that are there: writers and subscribers of one that was killed go to another. */
class Servers {
  readonly running: TestServer[] = [];
  any = () => pick(this.running);
  remove(server: TestServer): void {
    this.running.splice(this.running.indexOf(server), 1);
  }
}

const advanceAll = `mutation ($input: AdvanceScopeStatesInput!) {
  advanceScopeStates(input: $input) { results { outcome } }
}`;
const resetAll = `mutation ($input: ResetScopeStatesInput!) { resetScopeStates(input: $input) { outcome planToken } }`;
const checkAll = `mutation ($input: CheckScopeStatesInput!) { checkScopeStates(input: $input) { results { outcome } } }`;

let clock = 0;

/** Batches of advances, and now and then a reset. */
async function write(servers: Servers, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const some = units.filter(() => Math.random() < 0.2);
    const advances = some.map((one) => ({ unit: one, lastProcessedTimestamp: at(++clock) }));
    try {
      await servers.any().data(advanceAll, { input: { advances } });
      if (Math.random() > 0.05) continue;
      const input = { select: { units: [pick(units)] }, lastProcessedTimestamp: at(0), reason: 'a test' };
      const { planToken } = (await servers.any().data(resetAll, { input })).resetScopeStates;
      await servers.any().data(resetAll, { input: { ...input, planToken } });
      // A collector that looks again: until then advances would be STALE.
      await servers.any().data(checkAll, { input: { units: input.select.units } });
    } catch {
      // Its server was killed; the next round goes to the other one.
    }
  }
}

/** A foreign writer that holds its transaction open for a while, and rolls half of them back. */
async function hold(rounds: number): Promise<void> {
  const client = await database.connect();
  for (let round = 0; round < rounds; round++) {
    await client.query('begin');
    const one = pick(units);
    await client.query(
      `update ${table} set last_processed_timestamp = timestamp '2026-01-01' + $1 * interval '1 second' where identifier = $2`,
      [++clock, one.scopeId],
    );
    await delay(Math.random() * 100); // what is tested is that it takes a while
    await client.query(Math.random() < 0.5 ? 'commit' : 'rollback');
  }
}

/** A subscriber that loses its connection at random and comes back with the last sequence that it saw. */
class Restless {
  readonly events: Event[] = [];
  readonly faults: unknown[] = [];
  connections = 0;
  private readonly servers: Servers;
  private readonly filter: Record<string, unknown>;
  private last: string;
  private isDone = false;
  private readonly living: Promise<void>;

  constructor(servers: Servers, filter: Record<string, unknown>, after: string) {
    this.servers = servers;
    this.filter = filter;
    this.last = after;
    this.living = this.live();
  }

  async stop(): Promise<void> {
    this.isDone = true;
    await this.living;
  }

  private async live(): Promise<void> {
    while (!this.isDone) {
      this.connections++;
      const leaveAfter = Math.random() < 0.8 ? Math.ceil(Math.random() * 40) : Infinity;
      let taken = 0;
      let isLeaving = false;
      const subscriber = openSubscriber(
        this.servers.any().url,
        { filter: this.filter, afterSequence: this.last },
        (event) => {
          if (isLeaving) return; // it is not there any more
          this.events.push(event);
          this.last = event.sequence;
          isLeaving = ++taken >= leaveAfter;
        },
      );
      let hasEnded = false;
      void subscriber.ended.then(() => (hasEnded = true));
      await until('it leaves', () => isLeaving || hasEnded || this.isDone, 120_000);
      isLeaving = true;
      await subscriber.stop();
    }
  }
}

async function expected(after: string, wanted: string[] | undefined): Promise<string[]> {
  const rows = await database.query<{ sequence: string }>(
    `select sequence from scopestate_history
     where sequence > $1 and ($2::text[] is null or collector = any ($2)) order by sequence`,
    [after, wanted ?? null],
  );
  return rows.map(({ sequence }) => sequence);
}

function goesBackBy(events: readonly Event[]): Set<string> {
  const latest = new Map<string, string>();
  const kinds = new Set<string>();
  for (const { scopeStateId, scopeState, kind } of events) {
    const before = latest.get(scopeStateId!);
    if (before !== undefined && scopeState!.lastProcessedTimestamp < before) kinds.add(kind);
    latest.set(scopeStateId!, scopeState!.lastProcessedTimestamp);
  }
  return kinds;
}

test.each([
  ['writers that commit at once', { holders: 0, isKilled: false }],
  ['writers held open at random', { holders: 3, isKilled: false }],
  ['writers held open at random, and a server killed', { holders: 3, isKilled: true }],
])(
  '8 writers on two servers, 20 restless subscribers, %s: each sees every change of its filter exactly once, in order',
  async (_, { holders, isKilled }) => {
    const servers = new Servers();
    for (let n = 0; n < 2; n++) servers.running.push(await startServer({ DATABASE_URL: database.url }));
    const started = [...servers.running];
    leftovers.push(...started.map((server) => () => Promise.resolve(void server.process.kill('SIGKILL'))));
    await servers.any().data(advanceAll, {
      input: { advances: units.map((one) => ({ unit: one, lastProcessedTimestamp: at(++clock) })) },
    });
    const after = await presentSequence(servers.any().url);
    const filters = [undefined, ['gnocchi'], ['monasca', 'prometheus']];
    const subscribers = Array.from({ length: 20 }, (_, n) => {
      const wanted = filters[n % filters.length];
      return { wanted, seen: new Restless(servers, wanted ? { collectors: wanted } : {}, after) };
    });
    leftovers.push(
      ...subscribers.map(
        ({ seen }) =>
          () =>
            seen.stop(),
      ),
    );
    const rounds = scaled(300, 20);
    const writing = Promise.all([
      ...Array.from({ length: 8 }, () => write(servers, rounds)),
      ...Array.from({ length: holders }, () => hold(Math.ceil(rounds / 4))),
    ]);
    if (isKilled) {
      await until(
        'much is written',
        async () => (await expected(after, undefined)).length > rounds * 4,
        120_000,
      );
      const [victim] = started;
      servers.remove(victim!);
      await victim!.kill();
    }
    await writing;
    const wroteLast = performance.now();

    const lastOf = new Map<string[] | undefined, string>();
    for (const wanted of filters) lastOf.set(wanted, (await expected(after, wanted)).at(-1)!);
    for (const { wanted, seen } of subscribers) {
      await until('the last one is seen', () => seen.events.at(-1)?.sequence === lastOf.get(wanted));
      expect(performance.now() - wroteLast).toBeLessThan(promised(2_000));
    }
    await Promise.all(subscribers.map(({ seen }) => seen.stop()));

    const rows = await database.query<{ identifier: string; version: number }>(
      `select identifier, version from ${table}`,
    );
    for (const { wanted, seen } of subscribers) {
      expect(seen.events.map(({ sequence }) => sequence)).toEqual(await expected(after, wanted));
      for (const kind of goesBackBy(seen.events)) expect(['RESET', 'EXTERNAL']).toContain(kind);
      const last = new Map(seen.events.map(({ scopeState }) => [scopeState!.scopeId, scopeState!.version]));
      for (const { identifier, version } of rows) {
        if (last.has(identifier)) expect([identifier, last.get(identifier)]).toEqual([identifier, version]);
      }
    }
    expect(subscribers.some(({ seen }) => seen.connections > 2)).toBe(true);
    expect(await Promise.all(servers.running.map((server) => server.stop()))).toEqual(
      servers.running.map(() => 0),
    );
  },
  300_000,
);
