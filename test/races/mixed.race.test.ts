import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { gatheringModes, startServer, type TestServer } from '../support/test-server.js';
import { scaled, unit, type Unit } from '../support/units.js';

jest.setTimeout(600_000); // the full run's rounds

describe.each(gatheringModes)('$mode', ({ gather }) => {
  let database: TestDatabase;
  let servers: TestServer[];

  beforeAll(async () => {
    database = await createTestDatabase();
    const settings = { DATABASE_URL: database.url };
    servers = await Promise.all([startServer(settings, { gather }), startServer(settings, { gather })]);
  });

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await database.drop();
  });

  const table = 'cloudkitty_storage_states';
  const callers = 50;
  const callsEach = scaled(20, 4);
  const scopes = 4;
  const unitsOfScope = 5;

  /** Numbers that look random and are the same in each run (mulberry32): a failure can be run again. */
  function randomFrom(seed: number): (below: number) => number {
    let state = seed;
    return (below) => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
    };
  }

  const state = `scopeState { id scopeId scopeKey collector fetcher lastProcessedTimestamp }`;
  const queries = {
    checkScopeState: `mutation ($input: CheckScopeStateInput!) { checkScopeState(input: $input) { outcome ${state} } }`,
    checkScopeStates: `mutation ($input: CheckScopeStatesInput!) { checkScopeStates(input: $input) { results { outcome ${state} } } }`,
    advanceScopeState: `mutation ($input: AdvanceScopeStateInput!) { advanceScopeState(input: $input) { outcome ${state} } }`,
    advanceScopeStates: `mutation ($input: AdvanceScopeStatesInput!) { advanceScopeStates(input: $input) { results { outcome ${state} } } }`,
    createScopeState: `mutation ($input: CreateScopeStateInput!) { createScopeState(input: $input) { outcome ${state} } }`,
  };
  type Call = keyof typeof queries;

  interface Result {
    outcome: string;
    scopeState: (Unit & { id: string; lastProcessedTimestamp: string }) | null;
  }

  const keyOf = ({ scopeId, scopeKey, collector, fetcher }: Unit) =>
    JSON.stringify([scopeId, scopeKey, collector, fetcher]);
  const from = Date.UTC(2026, 0, 1);
  const instant = (minute: number) => new Date(from + minute * 60_000).toISOString().replace('.000Z', 'Z');

  /** What a caller was told that it had stored, and every row that anybody was told of. */
  const acknowledged = new Map<string, string[]>();
  const idsTold = new Map<string, Set<string>>();

  function note(asked: Unit, { outcome, scopeState }: Result, at?: string): void {
    if (scopeState === null) {
      expect(outcome).toBe('UNKNOWN');
      return;
    }
    const key = keyOf(scopeState);
    if (['ADVANCED', 'CREATED', 'UNCHANGED'].includes(outcome)) {
      expect(key).toBe(keyOf(asked));
      expect(scopeState.lastProcessedTimestamp).toBe(at);
      acknowledged.set(key, [...(acknowledged.get(key) ?? []), at!]);
    }
    if (outcome === 'REGRESSION') expect(scopeState.lastProcessedTimestamp > at!).toBe(true);
    if (scopeState.scopeKey === null) return; // a refused advance was shown the legacy row
    idsTold.set(key, (idsTold.get(key) ?? new Set()).add(scopeState.id));
  }

  async function call(caller: number, units: Unit[], server: TestServer): Promise<void> {
    const random = randomFrom(caller + 1);
    const anyUnit = () => units[random(units.length)]!;
    const ask = async (name: Call, input: object) => (await server.data(queries[name], { input }))[name];
    for (let n = 0; n < callsEach; n++) {
      const at = instant(random(100_000));
      const one = anyUnit();
      const many = Array.from({ length: 1 + random(8) }, anyUnit);
      switch (random(5)) {
        case 0:
          note(one, await ask('checkScopeState', { unit: one }));
          break;
        case 1: {
          const { results } = await ask('checkScopeStates', { units: many });
          (results as Result[]).forEach((result, place) => note(many[place]!, result));
          break;
        }
        case 2:
          note(one, await ask('advanceScopeState', { unit: one, lastProcessedTimestamp: at }), at);
          break;
        case 3: {
          const ats = many.map(() => instant(random(100_000)));
          const advances = many.map((each, place) => ({ unit: each, lastProcessedTimestamp: ats[place] }));
          const { results } = await ask('advanceScopeStates', { advances });
          (results as Result[]).forEach((result, place) => note(many[place]!, result, ats[place]));
          break;
        }
        case 4:
          note(one, await ask('createScopeState', { unit: one, lastProcessedTimestamp: at }), at);
          break;
      }
    }
  }

  test('checks, advances and creates mixed: what was acknowledged is stored, and each unit has one row', async () => {
    for (let round = 0; round < scaled(10, 2); round++) {
      const names = Array.from({ length: scopes }, () => unit().scopeId);
      const units = names.flatMap((scopeId) =>
        Array.from({ length: unitsOfScope }, (_, n) => unit({ scopeId, collector: `collector ${n}` })),
      );
      await database.query(
        `insert into ${table} (identifier, last_processed_timestamp) select unnest($1::text[]), '2026-01-01'`,
        [names.slice(1)],
      );
      acknowledged.clear();
      idsTold.clear();
      await Promise.all(
        Array.from({ length: callers }, (_, n) => call(round * callers + n, units, servers[n % 2]!)),
      );

      const rows = await database.query<{ id: number; key: string; at: string; legacy: boolean }>(
        `select id, json_build_array(identifier, scope_key, collector, fetcher)::text as key,
         to_char(last_processed_timestamp, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at, scope_key is null as legacy
       from ${table} where identifier = any ($1)`,
        [names],
      );
      const stored = new Map(rows.map((row) => [JSON.stringify(JSON.parse(row.key)), row]));
      expect(stored.size).toBe(rows.length);
      expect(acknowledged.size).toBeGreaterThan(scopes);
      for (const [key, times] of acknowledged) {
        const latest = times.toSorted().at(-1);
        // Nothing acknowledged was lost, and nothing is stored that nobody was told of.
        expect([key, stored.get(key)?.at]).toEqual([key, latest]);
      }
      for (const [key, ids] of idsTold) {
        expect([...ids]).toEqual([Buffer.from(`ScopeState:${stored.get(key)?.id}`).toString('base64url')]);
      }
    }
  });
});
