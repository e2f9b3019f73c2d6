import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import type { CollectionUnit } from '../../src/collection-unit/collection-unit.rules.js';
import { OutcomeUnknown } from '../../src/fault.js';
import { decideAdvance, type Advance } from '../../src/scope-state/advance.rules.js';
import { PlainAdvancesRepository } from '../../src/scope-state/plain-advances.repository.js';
import { ScopeStateRepository } from '../../src/scope-state/scope-state.repository.js';
import { createTestDatabase, postgresMajors, type TestDatabase } from '../support/test-database.js';
import { unit } from '../support/units.js';
import { until } from '../support/until.js';

const caller = { caller: 'a test', requestId: 'a request' };
const instant = (text: string) => Temporal.Instant.from(text);
const stored = instant('2026-01-01T00:00:00.000001Z');

describe.each(postgresMajors)('on PostgreSQL %i', (major) => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let plain: PlainAdvancesRepository;
  let states: ScopeStateRepository;

  beforeAll(async () => {
    database = await createTestDatabase({ major });
    pool = new pg.Pool({ connectionString: database.url });
    pool.on('error', () => {});
    plain = new PlainAdvancesRepository(pool);
    states = new ScopeStateRepository(pool);
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  async function insert(
    { scopeId, scopeKey, collector, fetcher }: CollectionUnit,
    { active = true, moved = false, legacy = false } = {},
  ): Promise<void> {
    await database.query(
      `insert into cloudkitty_storage_states (identifier, scope_key, collector, fetcher, last_processed_timestamp, active, moved_by_operator)
       values ($1, $2, $3, $4, '2026-01-01T00:00:00.000001', $5, $6)`,
      [scopeId, ...(legacy ? [null, null, null] : [scopeKey, collector, fetcher]), active, moved],
    );
  }

  const stateOf = async (one: CollectionUnit) => (await states.candidates([one])).rows[0];
  const entriesOf = ({ scopeId }: CollectionUnit) =>
    database.query<Record<string, unknown>>(
      `select kind, actor, request_id, version, old_version, old_identifier, old_active,
         last_processed_timestamp::text as at, old_last_processed_timestamp::text as old_at,
         recorded_at = (select updated_at from cloudkitty_storage_states where id = state_id) as at_once
       from scopestate_history where identifier = $1 and kind <> 'EXTERNAL'`,
      [scopeId],
    );
  const advancing = (one: CollectionUnit, at: string, expected?: Temporal.Instant): Advance => ({
    unit: one,
    lastProcessedTimestamp: instant(at),
    expected,
  });
  const advance = async (advances: Advance[]) =>
    plain.advance(advances.map((each) => ({ advance: each, caller })));

  test('it advances just what the table of outcomes advances, and answers what is stored then', async () => {
    const rows = [{}, { active: false }, { moved: true }, { legacy: true }, undefined];
    const times = [
      ...['2025-12-31T23:00:00Z', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000001Z'],
      ...['2026-01-01T00:00:00.000002Z', '2026-01-01T01:00:00Z', '2999-01-01T00:00:00Z'],
    ];
    const expectations = [undefined, stored, instant('2026-01-01T00:00:00Z')];
    const cases = rows.flatMap((row) =>
      times.flatMap((at) =>
        expectations.map((expected) => ({ row, advance: advancing(unit(), at, expected) })),
      ),
    );
    for (const each of cases) if (each.row) await insert(each.advance.unit, each.row);
    const before = await Promise.all(cases.map((each) => stateOf(each.advance.unit)));
    const done = await advance(cases.map((each) => each.advance));
    let advanced = 0;
    for (const [place, { row, advance: asked }] of cases.entries()) {
      const isToAdvance =
        !(row && 'legacy' in row) &&
        decideAdvance(before[place], asked, Temporal.Now.instant()) === 'ADVANCED';
      const now = await stateOf(asked.unit);
      if (isToAdvance) {
        advanced++;
        expect(done[place]).toEqual({
          result: { outcome: 'ADVANCED', backfilled: false, state: now },
          now: now!.updatedAt,
        });
        expect(now).toMatchObject({ version: 2, revision: 1, movedByOperator: false });
        const at = asked.lastProcessedTimestamp.toString({ fractionalSecondDigits: 6 });
        expect(now!.lastProcessedTimestamp.toString({ fractionalSecondDigits: 6 })).toBe(at);
        expect(await entriesOf(asked.unit)).toEqual([
          {
            kind: 'ADVANCED',
            actor: 'a test',
            request_id: 'a request',
            version: 2,
            old_version: 1,
            old_identifier: null,
            old_active: null,
            at: expect.stringContaining(at.slice(11, 19)),
            old_at: '2026-01-01 00:00:00.000001',
            at_once: true,
          },
        ]);
      } else {
        expect(done[place]).toBeUndefined();
        expect(now).toEqual(before[place]);
        expect(await entriesOf(asked.unit)).toEqual([]);
      }
    }
    expect(advanced).toBe(2 * (2 + 1 + 1) - 2); // moved, and nothing expected: the collector may not know of it
  });

  test('it waits for nobody, and leaves out what is locked', async () => {
    const [held, free] = [unit(), unit()];
    await insert(held);
    await insert(free);
    const other = await database.connect();
    await other.query('begin');
    await other.query('select from cloudkitty_storage_states where identifier = $1 for update', [
      held.scopeId,
    ]);
    const done = await advance([held, free].map((one) => advancing(one, '2026-01-01T01:00:00Z')));
    await other.query('rollback');
    expect(done.map((each) => each?.result.outcome)).toEqual([undefined, 'ADVANCED']);
    expect((await stateOf(held))!.version).toBe(1);
  });

  describe('advances that are one whole', () => {
    const hourLater = '2026-01-01T01:00:00Z';
    const advanceAll = (advances: Advance[]) => plain.advanceAll(advances, caller);
    const inserted = async (count: number) => {
      const units = Array.from({ length: count }, () => unit());
      for (const one of units) await insert(one);
      return units;
    };
    const rowsOf = (units: CollectionUnit[]) => Promise.all(units.map(stateOf));

    test('are done together, at one time, in the order given', async () => {
      const units = (await inserted(20)).reverse();
      const asked = units.map((one, place) =>
        advancing(one, `2026-01-01T01:00:${String(place).padStart(2, '0')}Z`, place % 2 ? stored : undefined),
      );
      const done = (await advanceAll(asked))!;
      const rows = await rowsOf(units);
      expect(done.results.map(({ state }) => state)).toEqual(rows);
      expect(rows.map((row) => [row!.version, String(row!.lastProcessedTimestamp)])).toEqual(
        asked.map((each) => [2, String(each.lastProcessedTimestamp)]),
      );
      expect(new Set(rows.map((row) => String(row!.updatedAt)))).toEqual(new Set([String(done.now)]));
      for (const one of units) {
        expect(await entriesOf(one)).toMatchObject([{ kind: 'ADVANCED', actor: 'a test', old_version: 1 }]);
      }
    });

    const hindrances: [string, (one: CollectionUnit) => Advance | Promise<Advance>][] = [
      ['has no row', (one) => advancing({ ...one, scopeId: `${one.scopeId} else` }, hourLater)],
      ['goes back', (one) => advancing(one, '2025-12-31T23:00:00Z')],
      ['is stored already', (one) => advancing(one, String(stored))],
      ['is in the future', (one) => advancing(one, '2999-01-01T00:00:00Z')],
      ['expects another state', (one) => advancing(one, hourLater, instant('2026-01-01T00:00:00Z'))],
      ['expects none', (one) => ({ ...advancing(one, hourLater), expected: null })],
      [
        'is of an inactive state',
        async (one) => {
          await database.query('update cloudkitty_storage_states set active = false where identifier = $1', [
            one.scopeId,
          ]);
          return advancing(one, hourLater);
        },
      ],
      [
        'is of a state that an operator has moved',
        async (one) => {
          await database.query(
            'update cloudkitty_storage_states set moved_by_operator = true where identifier = $1',
            [one.scopeId],
          );
          return advancing(one, hourLater);
        },
      ],
    ];

    test.each(hindrances)('are none of them done where one %s', async (_, hinder) => {
      const units = await inserted(3);
      const hindered = await hinder(units[1]!);
      const before = await rowsOf(units);
      const asked = [advancing(units[0]!, hourLater), hindered, advancing(units[2]!, hourLater)];
      expect(await advanceAll(asked)).toBeUndefined();
      expect(await rowsOf(units)).toEqual(before);
      expect((await Promise.all(units.map(entriesOf))).flat()).toEqual([]);
    });

    test('are none of them done where somebody has locked one, or one unit comes twice', async () => {
      const units = await inserted(3);
      const other = await database.connect();
      await other.query('begin');
      await other.query('select from cloudkitty_storage_states where identifier = $1 for update', [
        units[2]!.scopeId,
      ]);
      expect(await advanceAll(units.map((one) => advancing(one, hourLater)))).toBeUndefined();
      await other.query('rollback');
      const twice = [units[0]!, units[1]!, units[0]!].map((one, place) =>
        advancing(one, `2026-01-01T0${place + 1}:00:00Z`),
      );
      expect(await advanceAll(twice)).toBeUndefined();
      expect((await rowsOf(units)).map((row) => row!.version)).toEqual([1, 1, 1]);
    });
  });

  test('of two that advance one unit at once, none goes back, and each has the other’s state as its before', async () => {
    const one = unit();
    await insert(one);
    const at = (second: number) => stored.add({ seconds: second }).toString();
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, place) => advance([advancing(one, at(((place * 37) % 200) + 1))])),
    );
    const advanced = results.flat().filter((each) => each !== undefined);
    const state = (await stateOf(one))!;
    expect(state.version).toBe(advanced.length + 1);
    const chain = await database.query<{ sound: boolean }>(
      `select coalesce(bool_and(sound), false) as sound from (
         select old_version = version - 1 and old_last_processed_timestamp < last_processed_timestamp
           and old_last_processed_timestamp = coalesce(lag(last_processed_timestamp) over (order by sequence), old_last_processed_timestamp)
           and recorded_at >= coalesce(lag(recorded_at) over (order by sequence), recorded_at) as sound
         from scopestate_history where identifier = $1 and kind = 'ADVANCED'
       ) entries`,
      [one.scopeId],
    );
    expect(chain).toEqual([{ sound: true }]);
  });

  describe('a row that another changes between the statement’s snapshot and its lock', () => {
    /** Sends the statement so that it waits for an advisory lock at its beginning, and changes a row meanwhile. */
    async function sendAround(
      change: () => Promise<unknown>,
      send: (slowly: PlainAdvancesRepository) => unknown,
    ) {
      const other = await database.connect();
      await other.query('select pg_advisory_lock(42)');
      const connect = async () => {
        const client = await pool.connect();
        return {
          query: ({ text, values }: pg.QueryConfig) =>
            client.query({
              text: text
                .replace(
                  'with settings',
                  'with waited as materialized (select pg_advisory_xact_lock(42)), settings',
                )
                .replace('from settings,', 'from waited, settings,'),
              values: values!,
            }),
          release: () => client.release(),
        };
      };
      const sent = send(new PlainAdvancesRepository({ connect } as unknown as pg.Pool));
      await until('it waits', async () => {
        const waiting = await database.query(
          `select from pg_locks where locktype = 'advisory' and not granted`,
        );
        return waiting.length > 0;
      });
      await change();
      await other.query('select pg_advisory_unlock(42)');
      return sent;
    }

    test('is advanced from where it is now', async () => {
      const one = unit();
      await insert(one);
      const further = () => advance([advancing(one, '2026-01-01T02:00:00Z')]);
      const asked = { advance: advancing(one, '2026-01-01T03:00:00Z'), caller };
      expect(await sendAround(further, (slowly) => slowly.advance([asked]))).toMatchObject([
        { result: { state: { version: 3 } } },
      ]);
      expect(await entriesOf(one)).toMatchObject([
        { version: 2, old_version: 1 },
        { version: 3, old_version: 2, old_at: '2026-01-01 02:00:00' },
      ]);
    });

    test('is not advanced back', async () => {
      const one = unit();
      await insert(one);
      const further = () => advance([advancing(one, '2026-01-01T04:00:00Z')]);
      const asked = { advance: advancing(one, '2026-01-01T03:00:00Z'), caller };
      expect(await sendAround(further, (slowly) => slowly.advance([asked]))).toEqual([undefined]);
      expect((await stateOf(one))!.version).toBe(2);
    });

    test.each([
      ['is advanced with the whole', '2026-01-01T02:00:00Z', [2, 3, 2]],
      ['keeps the whole from being done', '2026-01-01T04:00:00Z', [1, 2, 1]],
    ])('%s', async (_, at, versions) => {
      const units = [unit(), unit(), unit()];
      for (const one of units) await insert(one);
      const further = () => advance([advancing(units[1]!, at)]);
      const asked = units.map((one) => advancing(one, '2026-01-01T03:00:00Z'));
      const done = await sendAround(further, (slowly) => slowly.advanceAll(asked, caller));
      const states = await Promise.all(units.map(stateOf));
      expect(states.map((state) => state!.version)).toEqual(versions);
      if (versions[0] === 1) expect(done).toBeUndefined();
      else expect(done).toMatchObject({ results: states.map((state) => ({ state })) });
    });
  });

  test('a whole of which the database does a part only is not done', async () => {
    const units = [unit(), unit()];
    for (const one of units) await insert(one);
    await database.query(`
      create function keep_one() returns trigger language plpgsql as $$
      begin
        return case when new.identifier = '${units[1]!.scopeId}' then null else new end;
      end $$;
      create trigger keep_one before update on cloudkitty_storage_states for each row execute function keep_one()`);
    const asked = units.map((one) => advancing(one, '2026-01-01T03:00:00Z'));
    const done = plain.advanceAll(asked, caller);
    await expect(done).rejects.toThrow('division by zero');
    await database.query('drop trigger keep_one on cloudkitty_storage_states; drop function keep_one()');
    expect((await Promise.all(units.map(stateOf))).map((state) => state!.version)).toEqual([1, 1]);
  });

  test('acknowledged is durable, whatever the session’s default is', async () => {
    const one = unit();
    await insert(one);
    await database.query(`
      create function note_commit() returns trigger language plpgsql as $$
      begin
        insert into noted values (current_setting('synchronous_commit'));
        return null;
      end $$;
      create table noted (commit text);
      create trigger note_commit after update on cloudkitty_storage_states for each row execute function note_commit()`);
    const lax = new pg.Pool({ connectionString: database.url, options: '-c synchronous_commit=off' });
    lax.on('error', () => {});
    const [done] = await new PlainAdvancesRepository(lax).advance([
      { advance: advancing(one, '2026-01-01T01:00:00Z'), caller },
    ]);
    await lax.end();
    const noted = await database.query('select commit from noted');
    await database.query(
      'drop trigger note_commit on cloudkitty_storage_states; drop function note_commit(); drop table noted',
    );
    expect(done?.result.outcome).toBe('ADVANCED');
    expect(noted).toEqual([{ commit: 'on' }]);
  });

  test('a session that ends meanwhile leaves the outcome unknown', async () => {
    const one = unit();
    await insert(one);
    const ending = {
      connect: async () => {
        const client = await pool.connect();
        const send = client.query.bind(client) as (sent: pg.QueryConfig) => Promise<pg.QueryResult>;
        client.query = ((statement: pg.QueryConfig) => {
          const sent = send(statement);
          return sent.then(() => Promise.reject(new Error('Connection terminated unexpectedly')));
        }) as typeof client.query;
        return client;
      },
    } as unknown as pg.Pool;
    const asked = { advance: advancing(one, '2026-01-01T01:00:00Z'), caller };
    await expect(new PlainAdvancesRepository(ending).advance([asked])).rejects.toThrow(OutcomeUnknown);
    expect((await stateOf(one))!.version).toBe(2);
  });
});
