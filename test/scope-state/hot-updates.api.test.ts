import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OwnPostgres } from '../support/own-postgres.js';
import { StateApi } from '../support/state-api.js';
import { startServer } from '../support/test-server.js';
import { unit, scaled } from '../support/units.js';
import { until } from '../support/until.js';

// Its own: a transaction open in any database of a PostgreSQL keeps the space of what was updated since from being used again.
describe.each([
  { name: 'a PostgreSQL as scopestate makes it', settings: [] },
  {
    name: 'a PostgreSQL with foreign session defaults',
    settings: [
      'timezone=America/St_Johns',
      'datestyle=SQL, DMY',
      'default_transaction_isolation=serializable',
    ],
  },
])('on $name', ({ settings }) => {
  const api = new StateApi();
  let postgres: OwnPostgres;

  beforeAll(async () => {
    postgres = await OwnPostgres.create({ settings });
    api.server = await startServer({ DATABASE_URL: postgres.url });
  });

  afterAll(async () => {
    await api.server.stop();
    await postgres.remove();
  });

  const counts = async () => {
    const [row] = await postgres.query<{ updated: number; hot: number }>(
      `select n_tup_upd::int as updated, n_tup_hot_upd::int as hot from pg_stat_user_tables
       where relname = 'cloudkitty_storage_states'`,
    );
    return row!;
  };

  test('an hourly advance touches no index, but for the first one of a day', async () => {
    const units = Array.from({ length: scaled(5_000, 500) }, () => unit());
    const advanceTo = async (hour: number) => {
      const at = Temporal.Instant.from('2026-03-01T00:00:00Z').add({ hours: hour }).toString();
      for (let from = 0; from < units.length; from += 500) {
        const some = units.slice(from, from + 500);
        const results = await api.advanceAll(
          some.map((each) => ({ unit: each, lastProcessedTimestamp: at })),
        );
        expect(results.every(({ outcome }) => outcome === (hour === 0 ? 'CREATED' : 'ADVANCED'))).toBe(true);
      }
    };
    const hours = 47;
    for (let hour = 0; hour <= hours; hour++) await advanceTo(hour);
    await api.server.stop(); // sessions that end report what they did
    const wanted = units.length * hours;
    await until('all updates are counted', async () => (await counts()).updated >= wanted);
    const { updated, hot } = await counts();
    expect(updated).toBe(wanted);
    // Of 47 hours one begins a day; and a page gets its free space by the first ones.
    expect(hot / updated).toBeGreaterThan(0.85);
    expect(hot).toBeLessThan(updated);
  }, 300_000);
});
