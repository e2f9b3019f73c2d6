import { describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { OutcomeUnknown, Unavailable } from '../../src/fault.js';
import { decideAdvance, type Advance } from '../../src/scope-state/advance.rules.js';
import { GroupedDecisions } from '../../src/scope-state/decisions.repository.js';
import { LockedStatesRepository } from '../../src/scope-state/locked-states.repository.js';
import { PlainAdvancesRepository } from '../../src/scope-state/plain-advances.repository.js';
import {
  advancing,
  caller,
  instant,
  plainState,
  stored,
  usePlainAdvances,
} from '../support/plain-advances.js';
import { postgresMajors } from '../support/test-database.js';
import { unit } from '../support/units.js';

describe.each(postgresMajors)('on PostgreSQL %i', (major) => {
  const used = usePlainAdvances(major);

  test.each([
    ['together', (advances: Advance[]) => used.advance(advances)],
    [
      'each by itself',
      async (advances: Advance[]) => (await Promise.all(advances.map((one) => used.advance([one])))).flat(),
    ],
  ])(
    '%s, just what the table of outcomes advances is advanced, and answers what is stored then',
    async (_, advance) => {
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
      for (const each of cases) if (each.row) await used.insert(each.advance.unit, each.row);
      const before = await Promise.all(cases.map((each) => used.stateOf(each.advance.unit)));
      const done = await advance(cases.map((each) => each.advance));
      let advanced = 0;
      for (const [place, { row, advance: asked }] of cases.entries()) {
        const isToAdvance =
          !(row && 'legacy' in row) &&
          decideAdvance(before[place], asked, Temporal.Now.instant()) === 'ADVANCED';
        const now = await used.stateOf(asked.unit);
        if (isToAdvance) {
          advanced++;
          const { result, now: advancedAt } = done[place]!;
          expect(result).toMatchObject({ outcome: 'ADVANCED', backfilled: false });
          expect(plainState(result.state)).toEqual(now);
          expect(advancedAt).toEqual(now!.updatedAt);
          expect(now).toMatchObject({ version: 2, revision: 1, movedByOperator: false });
          const at = asked.lastProcessedTimestamp.toString({ fractionalSecondDigits: 6 });
          expect(now!.lastProcessedTimestamp.toString({ fractionalSecondDigits: 6 })).toBe(at);
          expect(await used.entriesOf(asked.unit)).toEqual([
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
          expect(await used.entriesOf(asked.unit)).toEqual([]);
        }
      }
      expect(advanced).toBe(2 * (2 + 1 + 1) - 2); // moved, and nothing expected: the collector may not know of it
    },
  );

  test.each([1, 2])('of %i, it waits for nobody, and leaves out what is locked', async (count) => {
    const [held, free] = [unit(), unit()];
    await used.insert(held);
    await used.insert(free);
    const other = await used.database.connect();
    await other.query('begin');
    await other.query('select from cloudkitty_storage_states where identifier = $1 for update', [
      held.scopeId,
    ]);
    const asked = [held, free].slice(0, count);
    const done = await used.advance(asked.map((one) => advancing(one, '2026-01-01T01:00:00Z')));
    await other.query('rollback');
    expect(done.map((each) => each?.result.outcome)).toEqual([undefined, 'ADVANCED'].slice(0, count));
    expect((await used.stateOf(held))!.version).toBe(1);
  });

  test('of two that advance one unit at once, none goes back, and each has the other’s state as its before', async () => {
    const one = unit();
    await used.insert(one);
    const at = (second: number) => stored.add({ seconds: second }).toString();
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, place) => used.advance([advancing(one, at(((place * 37) % 200) + 1))])),
    );
    const advanced = results.flat().filter((each) => each !== undefined);
    const state = (await used.stateOf(one))!;
    expect(state.version).toBe(advanced.length + 1);
    const chain = await used.database.query<{ sound: boolean }>(
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

  test.each([1, 2])(
    'of %i, acknowledged is durable, and bounded, whatever the session’s defaults are',
    async (count) => {
      const units = await used.inserted(count);
      await used.database.query(`
      create function note_commit() returns trigger language plpgsql as $$
      begin
        insert into noted values (current_setting('synchronous_commit'), current_setting('statement_timeout'));
        return null;
      end $$;
      create table noted (commit text, timeout text);
      create trigger note_commit after update on cloudkitty_storage_states for each row execute function note_commit()`);
      const lax = new pg.Pool({ connectionString: used.database.url, options: '-c synchronous_commit=off' });
      lax.on('error', () => {});
      const done = await new PlainAdvancesRepository(lax).advance(
        units.map((one) => ({ advance: advancing(one, '2026-01-01T01:00:00Z'), caller })),
      );
      const after = await lax.query('show statement_timeout');
      await lax.end();
      const noted = await used.database.query('select * from noted');
      await used.database.query(
        'drop trigger note_commit on cloudkitty_storage_states; drop function note_commit(); drop table noted',
      );
      expect(done.map((each) => each?.result.outcome)).toEqual(units.map(() => 'ADVANCED'));
      expect(noted).toEqual(units.map(() => ({ commit: 'on', timeout: '30s' })));
      expect(after.rows).toEqual([{ statement_timeout: '0' }]);
    },
  );

  test.each([
    ['one actor', ['one', 'one', 'one']],
    ['several actors', ['one', 'one', 'another']],
  ])('entries of %s name who has sent each advance, and by which request', async (_, actors) => {
    const units = await used.inserted(actors.length);
    await used.plain.advance(
      units.map((one, place) => ({
        advance: advancing(one, '2026-01-01T01:00:00Z'),
        caller: { caller: actors[place]!, requestId: `request ${place}` },
      })),
    );
    const entries = await Promise.all(units.map((one) => used.entriesOf(one)));
    expect(entries).toMatchObject(actors.map((actor, place) => [{ actor, request_id: `request ${place}` }]));
  });

  /** A pool whose sessions end while statements of some kind are on their way. */
  const endingPool = (isMeant: (sent: pg.Query & { text: string }) => boolean) => {
    const connect = async () => {
      const client = await used.pool.connect();
      const query = (sent: pg.Query & { text: string; callback: (error: Error) => void }) => {
        const { callback } = sent;
        if (isMeant(sent)) sent.callback = () => callback(new Error('Connection terminated unexpectedly'));
        return client.query(sent);
      };
      return { query, release: client.release.bind(client) };
    };
    return { connect } as unknown as pg.Pool;
  };

  test.each([1, 2])('of %i, a session that ends meanwhile leaves the outcome unknown', async (count) => {
    const units = await used.inserted(count);
    const ending = new PlainAdvancesRepository(endingPool((sent) => !sent.text.includes('settings')));
    const asked = units.map((one) => ({ advance: advancing(one, '2026-01-01T01:00:00Z'), caller }));
    await expect(ending.advance(asked)).rejects.toThrow(OutcomeUnknown);
    expect((await used.statesOf(units)).map((state) => state!.version)).toEqual(units.map(() => 2));
  });

  test('a session that ends before an advance is sent is no more than unavailable', async () => {
    const one = unit();
    await used.insert(one);
    const ending = new PlainAdvancesRepository(endingPool((sent) => sent.text.includes('settings')));
    const asked = [{ advance: advancing(one, '2026-01-01T01:00:00Z'), caller }];
    await expect(ending.advance(asked)).rejects.toThrow(Unavailable);
    expect((await used.stateOf(one))!.version).toBe(1);
  });

  test.each([1, 2])(
    'of %i, a session that has forgotten its statements is told them again',
    async (count) => {
      const units = await used.inserted(count);
      const pool = new pg.Pool({ connectionString: used.database.url, max: 1 });
      const plain = new PlainAdvancesRepository(pool);
      for (const hour of [1, 2, 3]) {
        const asked = units.map((one) => ({ advance: advancing(one, `2026-01-01T0${hour}:00:00Z`), caller }));
        expect((await plain.advance(asked)).map((each) => each?.result.outcome)).toEqual(
          units.map(() => 'ADVANCED'),
        );
        await pool.query('deallocate all');
      }
      await pool.end();
    },
  );

  test('where the table is locked for too long, all are told so, and nothing is done', async () => {
    const units = await used.inserted(3);
    const impatient = new PlainAdvancesRepository(used.pool, 300);
    const decisions = new GroupedDecisions(new LockedStatesRepository(used.pool), impatient);
    const other = await used.database.connect();
    await other.query('begin; lock table cloudkitty_storage_states in access exclusive mode');
    const advances = units.map((one) => advancing(one, '2026-01-01T01:00:00Z'));
    const answers = await Promise.allSettled([
      ...advances.map((advance) =>
        decisions.decide({
          unit: advance.unit,
          caller,
          advance,
          decide: (states) => states.advance(advance),
        }),
      ),
      decisions.advanceAll(advances, caller),
    ]);
    await other.query('rollback');
    for (const answer of answers)
      expect(answer).toMatchObject({ reason: expect.any(Unavailable) as unknown });
    expect((await used.statesOf(units)).map((state) => state!.version)).toEqual([1, 1, 1]);
  });
});
