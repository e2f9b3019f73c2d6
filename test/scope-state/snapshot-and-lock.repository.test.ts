import { describe, expect, test } from '@jest/globals';
import type pg from 'pg';
import { PlainAdvancesRepository } from '../../src/scope-state/plain-advances.repository.js';
import { advancing, caller, usePlainAdvances } from '../support/plain-advances.js';
import { postgresMajors } from '../support/test-database.js';
import { unit } from '../support/units.js';
import { until } from '../support/until.js';

describe.each(postgresMajors)(
  'a row that another changes between snapshot and lock, on PostgreSQL %i',
  (major) => {
    const used = usePlainAdvances(major);

    /** Sends the statement so that it waits for an advisory lock at its beginning, and changes a row meanwhile. */
    async function sendAround(
      change: () => Promise<unknown>,
      send: (slowly: PlainAdvancesRepository) => unknown,
    ) {
      const other = await used.database.connect();
      await other.query('select pg_advisory_lock(42)');
      const connect = async () => {
        const client = await used.pool.connect();
        return {
          query: (sent: pg.Query & { text: string; name?: string | undefined }) => {
            sent.name = undefined;
            sent.text = sent.text
              .replace(
                'with settings',
                'with waited as materialized (select pg_advisory_xact_lock(42)), settings',
              )
              .replace('from settings,', 'from waited, settings,');
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

    test('is advanced from where it is now', async () => {
      const one = unit();
      await used.insert(one);
      const further = () => used.advance([advancing(one, '2026-01-01T02:00:00Z')]);
      const asked = { advance: advancing(one, '2026-01-01T03:00:00Z'), caller };
      expect(await sendAround(further, (slowly) => slowly.advance([asked]))).toMatchObject([
        { result: { state: { version: 3 } } },
      ]);
      expect(await used.entriesOf(one)).toMatchObject([
        { version: 2, old_version: 1 },
        { version: 3, old_version: 2, old_at: '2026-01-01 02:00:00' },
      ]);
    });

    test('is not advanced back', async () => {
      const one = unit();
      await used.insert(one);
      const further = () => used.advance([advancing(one, '2026-01-01T04:00:00Z')]);
      const asked = { advance: advancing(one, '2026-01-01T03:00:00Z'), caller };
      expect(await sendAround(further, (slowly) => slowly.advance([asked]))).toEqual([undefined]);
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
