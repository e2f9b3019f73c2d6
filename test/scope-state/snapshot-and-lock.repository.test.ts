import { describe, expect, test } from '@jest/globals';
import type pg from 'pg';
import { PlainAdvancesRepository } from '../../src/scope-state/plain-advances.repository.js';
import { advancing, caller, usePlainAdvances } from '../support/plain-advances.js';
import { postgresMajors } from '../support/test-database.js';
import type { Unit } from '../support/units.js';
import { until } from '../support/until.js';

describe.each(postgresMajors)(
  'a row that another changes between snapshot and lock, on PostgreSQL %i',
  (major) => {
    const used = usePlainAdvances(major);

    function waiting(text: string): string {
      const slow = text
        .replace('with mine', 'with waited as materialized (select pg_advisory_xact_lock(42)), mine')
        .replace(/from\s+(?=unnest|cloudkitty_storage_states s\b)/, 'from waited, ');
      expect(slow.split('waited')).toHaveLength(3);
      return slow;
    }

    /** Sends the statement so that it waits for an advisory lock at its beginning, and changes a row meanwhile. */
    async function sendAround<Done>(
      change: () => Promise<unknown>,
      send: (slowly: PlainAdvancesRepository) => Promise<Done>,
    ): Promise<Done> {
      const other = await used.database.connect();
      await other.query('select pg_advisory_lock(42)');
      const connect = async () => {
        const client = await used.pool.connect();
        return {
          query: (sent: pg.Query & { text: string; name?: string | undefined }) => {
            if (!sent.text.includes('settings')) {
              sent.name = undefined;
              sent.text = waiting(sent.text);
            }
            return client.query(sent);
          },
          release: () => client.release(),
        };
      };
      const sent = send(new PlainAdvancesRepository({ connect } as unknown as pg.Pool));
      await until('it waits', async () => {
        const waiting = await used.database.query(
          `select from pg_locks where locktype = 'advisory' and not granted`,
        );
        return waiting.length > 0;
      });
      await change();
      await other.query('select pg_advisory_unlock(42)');
      return sent;
    }

    const askedFor = (...units: Unit[]) =>
      units.map((one) => ({ advance: advancing(one, '2026-01-01T03:00:00Z'), caller }));

    /** Of one alone, and of one among others. */
    const counts = [1, 2];

    test.each(counts)('is advanced from where it is now (of %i)', async (count) => {
      const [one, ...others] = (await used.inserted(count)) as [Unit, ...Unit[]];
      const further = () => used.advance([advancing(one, '2026-01-01T02:00:00Z')]);
      const asked = askedFor(one, ...others);
      expect(await sendAround(further, (slowly) => slowly.advance(asked))).toMatchObject([
        { result: { state: { version: 3 } } },
        ...others.map(() => ({ result: { state: { version: 2 } } })),
      ]);
      expect(await used.entriesOf(one)).toMatchObject([
        { version: 2, old_version: 1 },
        { version: 3, old_version: 2, old_at: '2026-01-01 02:00:00', at_once: true },
      ]);
      const times = await used.database.query<{ later: boolean }>(
        `select recorded_at > lag(recorded_at) over (order by sequence) as later
         from scopestate_history where identifier = $1 and kind = 'ADVANCED'`,
        [one.scopeId],
      );
      expect(times.map(({ later }) => later)).toEqual([null, true]);
    });

    test.each(counts)('is not advanced back (of %i)', async (count) => {
      const [one, ...others] = (await used.inserted(count)) as [Unit, ...Unit[]];
      const further = () => used.advance([advancing(one, '2026-01-01T04:00:00Z')]);
      const asked = askedFor(one, ...others);
      expect((await sendAround(further, (slowly) => slowly.advance(asked)))[0]).toBeUndefined();
      expect((await used.stateOf(one))!.version).toBe(2);
    });

    test.each([
      ['is advanced with the whole', '2026-01-01T02:00:00Z', [2, 3, 2]],
      ['keeps the whole from being done', '2026-01-01T04:00:00Z', [1, 2, 1]],
    ])('%s', async (_, at, versions) => {
      const units = await used.inserted(3);
      const further = () => used.advance([advancing(units[1]!, at)]);
      const asked = units.map((one) => advancing(one, '2026-01-01T03:00:00Z'));
      const done = await sendAround(further, (slowly) => slowly.advanceAll(asked, caller));
      const states = await used.statesOf(units);
      expect(states.map((state) => state!.version)).toEqual(versions);
      if (versions[0] === 1) expect(done).toBeUndefined();
      else expect(done).toMatchObject({ results: states.map((state) => ({ state })) });
    });
  },
);
