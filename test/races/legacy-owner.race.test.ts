import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
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

  const callers = 50;
  const rounds = scaled(200);

  interface Checked {
    outcome: string;
    scopeState: { id: string; collector: string } | null;
  }

  const check = /* GraphQL */ `
    mutation ($unit: CollectionUnitInput!) {
      checkScopeState(input: { unit: $unit }) {
        outcome
        scopeState {
          id
          collector
        }
      }
    }
  `;

  const table = 'cloudkitty_storage_states';

  /** A legacy row, then all units of its scope id checked at once, in turn by each of the two servers. */
  async function race(unitOf: (scopeId: string, caller: number) => Unit) {
    const scopeId = randomUUID();
    const [legacy] = await database.query<{ id: number }>(
      `insert into ${table} (identifier, last_processed_timestamp) values ($1, '2026-01-01') returning id`,
      [scopeId],
    );
    const results = await Promise.all(
      Array.from({ length: callers }, async (_, caller) => {
        const server = servers[caller % servers.length]!;
        return (await server.data(check, { unit: unitOf(scopeId, caller) })).checkScopeState as Checked;
      }),
    );
    const rows = await database.query<{ id: number; collector: string; version: number }>(
      `select id, collector, version from ${table} where identifier = $1`,
      [scopeId],
    );
    return { legacy: legacy!, results, rows };
  }

  const count = (results: Checked[]) => {
    const counts: Record<string, number> = {};
    for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1;
    return counts;
  };

  test('of 50 different units that are checked at once, one gets the legacy row', async () => {
    for (let round = 0; round < rounds; round++) {
      const { legacy, results, rows } = await race((scopeId, caller) =>
        unit({ scopeId, collector: `collector ${caller}` }),
      );
      expect(count(results)).toEqual({ BACKFILLED: 1, UNKNOWN: callers - 1 });
      const winner = results.findIndex(({ outcome }) => outcome === 'BACKFILLED');
      const collector = `collector ${winner}`;
      expect(results[winner]!.scopeState).toMatchObject({ collector });
      expect(rows).toEqual([{ id: legacy.id, collector, version: 2 }]);
    }
  });

  test('50 checks of the same unit at once are all told of the same row; one of them took it over', async () => {
    for (let round = 0; round < rounds; round++) {
      const { legacy, results, rows } = await race((scopeId) => unit({ scopeId }));
      expect(count(results)).toEqual({ BACKFILLED: 1, FOUND: callers - 1 });
      expect(new Set(results.map(({ scopeState }) => scopeState?.id)).size).toBe(1);
      expect(rows).toEqual([{ id: legacy.id, collector: 'gnocchi', version: 2 }]);
    }
  });

  test('50 units checked in 50 batches that hold them all, in orders of their own: one owner', async () => {
    const batch = /* GraphQL */ `
      mutation ($units: [CollectionUnitInput!]!) {
        checkScopeStates(input: { units: $units }) {
          results {
            outcome
            scopeState {
              id
              collector
            }
          }
        }
      }
    `;
    for (let round = 0; round < scaled(50); round++) {
      const scopeId = randomUUID();
      await database.query(
        `insert into ${table} (identifier, last_processed_timestamp) values ($1, '2026-01-01')`,
        [scopeId],
      );
      const units = Array.from({ length: callers }, (_, n) => unit({ scopeId, collector: `collector ${n}` }));
      const results = await Promise.all(
        units.map(async (_, n) => {
          const turned = [...units.slice(n), ...units.slice(0, n)];
          const { checkScopeStates } = await servers[n % 2]!.data(batch, { units: turned });
          return checkScopeStates.results as Checked[];
        }),
      );
      const owners = new Set(results.flat().flatMap(({ scopeState }) => scopeState?.collector ?? []));
      expect(owners.size).toBe(1);
      // One batch took it over with its first unit; every other one finds that unit, and no other.
      expect(results.map(count).filter((counts) => counts['BACKFILLED'] === 1)).toHaveLength(1);
      expect(results.map(count).filter((counts) => counts['FOUND'] === 1)).toHaveLength(callers - 1);
      expect(results.map(count).map((counts) => counts['UNKNOWN'])).toEqual(Array(callers).fill(callers - 1));
    }
  });

  test('a row of its own that came while a unit waited for the legacy row is the one that counts', async () => {
    const holder = await database.connect();
    for (const asked of ['check', 'advance'] as const) {
      const one = unit();
      await database.query(
        `insert into ${table} (identifier, last_processed_timestamp) values ($1, '2026-03-01')`,
        [one.scopeId],
      );
      await holder.query('begin');
      await holder.query(`select from ${table} where identifier = $1 for update`, [one.scopeId]);
      const answer =
        asked === 'check'
          ? servers[0]!.data(check, { unit: one })
          : servers[0]!.data(
              `mutation ($unit: CollectionUnitInput!) {
               advanceScopeState(input: { unit: $unit, lastProcessedTimestamp: "2026-02-01T00:00:00Z" }) { outcome }
             }`,
              { unit: one },
            );
      await waitingForALock();
      await holder.query(
        `insert into ${table} (identifier, scope_key, collector, fetcher, last_processed_timestamp)
       values ($1, 'project_id', 'gnocchi', 'keystone', '2026-01-01')`,
        [one.scopeId],
      );
      await holder.query('commit');
      // The legacy row is at March: decided on that one, the advance would be a REGRESSION.
      expect(await answer).toMatchObject(
        asked === 'check'
          ? { checkScopeState: { outcome: 'FOUND' } }
          : { advanceScopeState: { outcome: 'ADVANCED' } },
      );
      const rows = await database.query(
        `select collector, last_processed_timestamp::date::text as at from ${table} where identifier = $1 order by id`,
        [one.scopeId],
      );
      expect(rows).toEqual([
        { collector: null, at: '2026-03-01' },
        { collector: 'gnocchi', at: asked === 'check' ? '2026-01-01' : '2026-02-01' },
      ]);
    }
  });

  // The unique violation that says so never reaches a caller.
  test('a unit whose row is being inserted gets that one, whether it backfills, is created or rekeyed to', async () => {
    const holder = await database.connect();
    const [id] = await database.query<{ id: number }>(
      `insert into ${table} (identifier, last_processed_timestamp) values ('moved', '2026-01-01') returning id`,
    );
    const mutations: [string, (of: Unit) => object, string][] = [
      ['checkScopeState', (of) => ({ unit: of }), 'FOUND'],
      [
        'advanceScopeState',
        (of) => ({ unit: of, lastProcessedTimestamp: '2026-02-01T00:00:00Z' }),
        'ADVANCED',
      ],
      [
        'createScopeState',
        (of) => ({ unit: of, lastProcessedTimestamp: '2026-02-01T00:00:00Z' }),
        'ALREADY_EXISTS',
      ],
      [
        'rekeyScopeState',
        (of) => ({
          id: Buffer.from(`ScopeState:${id!.id}`).toString('base64url'),
          unit: of,
          reason: 'race',
        }),
        'UNIT_TAKEN',
      ],
    ];
    for (const [name, input, outcome] of mutations) {
      const one = unit();
      await database.query(
        `insert into ${table} (identifier, last_processed_timestamp) values ($1, '2026-01-01')`,
        [one.scopeId],
      );
      await holder.query('begin');
      await holder.query(
        `insert into ${table} (identifier, scope_key, collector, fetcher, last_processed_timestamp)
       values ($1, 'project_id', 'gnocchi', 'keystone', '2026-01-01')`,
        [one.scopeId],
      );
      const type = name.replace(/^./, (letter) => letter.toUpperCase());
      const answer = servers[0]!.data(
        `mutation ($input: ${type}Input!) { ${name}(input: $input) { outcome } }`,
        { input: input(one) },
      );
      await waitingForALock();
      await holder.query('commit');
      expect(await answer).toEqual({ [name]: { outcome } });
      const legacy = await database.query(
        `select from ${table} where identifier = $1 and collector is null`,
        [one.scopeId],
      );
      expect(legacy).toHaveLength(1);
    }
  });

  async function waitingForALock(): Promise<void> {
    for (const end = Date.now() + 10_000; Date.now() < end;) {
      const waiting = await database.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      if (waiting.length > 0) return;
    }
    throw new Error('nobody waits for a lock');
  }
});
