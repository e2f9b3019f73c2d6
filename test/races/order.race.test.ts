import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type pg from 'pg';
import { waitsForLock } from '../support/lock-waits.js';
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
  const instant = (minute: number) =>
    new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString().replace('.000Z', 'Z');
  const resetTo = '2025-12-01T00:00:00Z';

  interface Advanced {
    outcome: string;
    backfilled: boolean;
    scopeState: { version: number; lastProcessedTimestamp: string };
  }

  async function advance(server: TestServer, advances: object[]): Promise<Advanced[]> {
    const { advanceScopeStates } = await server.data(
      `mutation ($advances: [AdvanceScopeStateInput!]!) {
       advanceScopeStates(input: { advances: $advances }) {
         results { outcome backfilled scopeState { version lastProcessedTimestamp } }
       }
     }`,
      { advances },
    );
    return advanceScopeStates.results;
  }

  interface Reset {
    outcome: string;
    changed: number;
    advancedSincePlan: number;
    planToken: string;
  }

  async function reset(server: TestServer, select: object, planToken?: string): Promise<Reset> {
    const input = { select, lastProcessedTimestamp: resetTo, reason: 'race', planToken };
    const { resetScopeStates } = await server.data(
      `mutation ($input: ResetScopeStatesInput!) {
       resetScopeStates(input: $input) { outcome changed advancedSincePlan planToken }
     }`,
      { input },
    );
    return resetScopeStates;
  }

  /** Rows in this order, all at minute 0; their ids ascend. */
  async function insertRows(units: Unit[]): Promise<void> {
    for (const { scopeId, scopeKey, collector, fetcher } of units) {
      await database.query(
        `insert into ${table} (identifier, scope_key, collector, fetcher, last_processed_timestamp)
       values ($1, $2, $3, $4, '2026-01-01')`,
        [scopeId, scopeKey, collector, fetcher],
      );
    }
  }

  async function stored({ scopeId }: Unit): Promise<string> {
    const [row] = await database.query<{ at: string }>(
      `select to_char(last_processed_timestamp, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at from ${table} where identifier = $1`,
      [scopeId],
    );
    return row!.at;
  }

  describe('8 writers that raise and lower one state', () => {
    beforeAll(async () => {
      await database.query(`
      create table audit (seq bigserial, identifier text, version int, old_at timestamp, new_at timestamp);
      create function record_move() returns trigger language plpgsql as $$
      begin
        insert into audit (identifier, version, old_at, new_at)
        values (new.identifier, new.version, old.last_processed_timestamp, new.last_processed_timestamp);
        return null;
      end $$;
      create trigger record_move after update on ${table} for each row execute function record_move()`);
    });

    afterAll(() => database.query(`drop trigger record_move on ${table}`));

    test.each([
      ['without expected', false],
      ['with what they believe is stored', true],
    ])('%s: it only grows, and each outcome agrees with what was stored', async (_, guarded) => {
      const one = unit();
      await insertRows([one]);
      const answers: { asked: string; expected: string | undefined; sentAfter: number; answer: Advanced }[] =
        [];
      let known = { version: 1, lastProcessedTimestamp: instant(0) };
      const calls = scaled(250, 20);
      await Promise.all(
        Array.from({ length: 8 }, async (_, writer) => {
          for (let call = 1; call <= calls; call++) {
            // Each second call of a writer asks for an instant about half as far as the other ones.
            const asked = instant((call % 2 === 0 ? call * 8 + writer : call * 4) + (call % 2) * writer + 1);
            const expected = guarded ? known.lastProcessedTimestamp : undefined;
            const sentAfter = known.version;
            const [answer] = await advance(servers[writer % 2]!, [
              { unit: one, lastProcessedTimestamp: asked, ...(guarded && { expected }) },
            ]);
            if (answer!.scopeState.version > known.version) known = answer!.scopeState;
            answers.push({ asked, expected, sentAfter, answer: answer! });
          }
        }),
      );

      const moves = await database.query<{ version: number; old_at: string; new_at: string }>(
        `select version, to_char(old_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as old_at,
         to_char(new_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as new_at
       from audit where identifier = $1 order by seq`,
        [one.scopeId],
      );
      const history = [instant(0), ...moves.map(({ new_at }) => new_at)];
      expect(moves.map(({ old_at }) => old_at)).toEqual(history.slice(0, -1));
      expect(history).toEqual([...new Set(history)].toSorted());
      expect(await stored(one)).toBe(history.at(-1));

      for (const { asked, expected, sentAfter, answer } of answers) {
        const { version, lastProcessedTimestamp: shown } = answer.scopeState;
        // What was shown was stored, and was not older than what somebody knew when the call was sent.
        expect(shown).toBe(history[version - 1]);
        expect(version).toBeGreaterThanOrEqual(sentAfter);
        const agrees: Record<string, boolean> = {
          ADVANCED: shown === asked && (!guarded || history[version - 2] === expected),
          UNCHANGED: shown === asked,
          REGRESSION: shown > asked && (!guarded || shown === expected),
          STALE: guarded && shown !== expected,
        };
        expect([answer, agrees[answer.outcome]]).toEqual([answer, true]);
      }
      const outcomes = answers.map(({ answer }) => answer.outcome);
      expect(outcomes.filter((outcome) => outcome === 'ADVANCED')).toHaveLength(moves.length);
      expect(outcomes).toContain('REGRESSION');
    });
  });

  describe('an advance without expected and a reset', () => {
    let holder: pg.Client;

    beforeAll(async () => {
      holder = await database.connect();
    });

    const holdRow = async ({ scopeId }: Unit) => {
      await holder.query('begin');
      await holder.query(`select from ${table} where identifier = $1 for update`, [scopeId]);
    };

    afterEach(() => holder.query('rollback'));

    const waitingAdvance = () => waitsForLock(database, 'LockedStates.lock');
    const waitingReset = () => waitsForLock(database, 'Selection.lock');
    const later = (one: Unit) => ({ unit: one, lastProcessedTimestamp: instant(60) });
    const rounds = scaled(50, 3);

    test('both wait for the row, the reset first: the advance is STALE', async () => {
      for (let round = 0; round < rounds; round++) {
        const one = unit();
        await insertRows([one]);
        const { planToken } = await reset(servers[0]!, { units: [one] });
        await holdRow(one);
        const applied = reset(servers[0]!, { units: [one] }, planToken);
        await waitingReset();
        const advanced = advance(servers[1]!, [later(one)]);
        await waitingAdvance();
        await holder.query('commit');
        expect(await applied).toMatchObject({ outcome: 'APPLIED', changed: 1, advancedSincePlan: 0 });
        expect(await advanced).toMatchObject([
          { outcome: 'STALE', scopeState: { lastProcessedTimestamp: resetTo } },
        ]);
        expect(await stored(one)).toBe(resetTo);
      }
    });

    test('both wait for the row, the advance first: the reset is applied to what was advanced', async () => {
      for (let round = 0; round < rounds; round++) {
        const one = unit();
        await insertRows([one]);
        const { planToken } = await reset(servers[0]!, { units: [one] });
        await holdRow(one);
        const advanced = advance(servers[1]!, [later(one)]);
        await waitingAdvance();
        const applied = reset(servers[0]!, { units: [one] }, planToken);
        await waitingReset();
        await holder.query('commit');
        expect(await advanced).toMatchObject([{ outcome: 'ADVANCED' }]);
        expect(await applied).toMatchObject({ outcome: 'APPLIED', changed: 1, advancedSincePlan: 1 });
        expect(await stored(one)).toBe(resetTo);
        expect(await advance(servers[1]!, [later(one)])).toMatchObject([{ outcome: 'STALE' }]);
      }
    });

    test('the reset holds the row that the advance waits for: the advance is STALE', async () => {
      for (let round = 0; round < rounds; round++) {
        const [one, other] = [unit(), unit()];
        await insertRows([one, other]);
        const select = { units: [one, other] };
        const { planToken } = await reset(servers[0]!, select);
        await holdRow(other);
        const applied = reset(servers[0]!, select, planToken);
        await waitingReset();
        const advanced = advance(servers[1]!, [later(one)]);
        await waitingAdvance();
        await holder.query('commit');
        expect(await applied).toMatchObject({ outcome: 'APPLIED', changed: 2, advancedSincePlan: 0 });
        expect(await advanced).toMatchObject([{ outcome: 'STALE' }]);
        expect(await stored(one)).toBe(resetTo);
      }
    });

    test('the advance holds the row that the reset waits for: the reset is applied over it', async () => {
      for (let round = 0; round < rounds; round++) {
        const [one, other] = [unit(), unit()];
        await insertRows([one, other]);
        const { planToken } = await reset(servers[0]!, { units: [one] });
        await holdRow(other);
        const advanced = advance(servers[1]!, [later(one), later(other)]);
        await waitingAdvance();
        const applied = reset(servers[0]!, { units: [one] }, planToken);
        await waitingReset();
        await holder.query('commit');
        expect(await advanced).toMatchObject([{ outcome: 'ADVANCED' }, { outcome: 'ADVANCED' }]);
        expect(await applied).toMatchObject({ outcome: 'APPLIED', changed: 1, advancedSincePlan: 1 });
        expect([await stored(one), await stored(other)]).toEqual([resetTo, instant(60)]);
      }
    });

    test('a backfill that a reset waits for spoils its plan', async () => {
      const [one, other] = [unit(), unit()];
      await insertRows([one, other]);
      await database.query(
        `update ${table} set scope_key = null, collector = null, fetcher = null where identifier = $1`,
        [one.scopeId],
      );
      const select = { filter: { scopeIds: [one.scopeId] } };
      const { planToken } = await reset(servers[0]!, select);
      await holdRow(other);
      const advanced = advance(servers[1]!, [later(one), later(other)]);
      await waitingAdvance();
      const applied = reset(servers[0]!, select, planToken);
      await waitingReset();
      await holder.query('commit');
      expect(await advanced).toMatchObject([{ outcome: 'ADVANCED', backfilled: true }, {}]);
      expect(await applied).toMatchObject({ outcome: 'PLAN_STALE', changed: 0 });
      expect(await stored(one)).toBe(instant(60));
    });

    test('8 advances at once with the reset: whatever comes first, the reset is what stays', async () => {
      for (let round = 0; round < scaled(100); round++) {
        const one = unit();
        await insertRows([one]);
        const { planToken } = await reset(servers[0]!, { units: [one] });
        const advances = Array.from({ length: 8 }, (_, n) =>
          advance(servers[n % 2]!, [{ unit: one, lastProcessedTimestamp: instant(n + 1) }]),
        );
        const applied = await reset(servers[round % 2]!, { units: [one] }, planToken);
        const outcomes = (await Promise.all(advances)).flat().map(({ outcome }) => outcome);
        expect(applied).toMatchObject({ outcome: 'APPLIED', changed: 1 });
        for (const outcome of outcomes) expect(['ADVANCED', 'REGRESSION', 'STALE']).toContain(outcome);
        expect(applied.advancedSincePlan).toBe(outcomes.includes('ADVANCED') ? 1 : 0);
        expect(await stored(one)).toBe(resetTo);
      }
    });
  });
});
