import { afterEach, expect, test } from '@jest/globals';
import { migrateUp } from '../support/command.js';
import { StateApi } from '../support/state-api.js';
import { createTestDatabase } from '../support/test-database.js';
import { startServer } from '../support/test-server.js';
import { unit } from '../support/units.js';
import { dumps } from './layout.js';

const api = new StateApi();

afterEach(async () => {
  await api.server.stop();
  await api.database.drop();
});

/** What CloudKitty's state manager sends to store a state: its own columns, and never ours. */
const insertAsCloudKitty = `
  insert into cloudkitty_storage_states
    (identifier, scope_key, collector, fetcher, last_processed_timestamp, scope_activation_toggle_date, active)
  values ($1, 'project_id', 'gnocchi', 'keystone', $2::text::timestamp, '2026-01-01', true)`;

test.each(dumps)(
  '$dump, taken over, is served; CloudKitty goes on writing, and is seen at once',
  async ({ dump }) => {
    api.database = await createTestDatabase({ dump });
    await migrateUp(api.database.url);
    api.server = await startServer({ DATABASE_URL: api.database.url });

    const legacy = await api.database.query<{ identifier: string }>(
      `select identifier from cloudkitty_storage_states
     where num_nulls(scope_key, collector, fetcher) = 3 and last_processed_timestamp < now() order by id`,
    );
    for (const { identifier } of legacy.slice(0, 3)) {
      const first = unit({ scopeId: identifier });
      const checked = await api.check(first);
      expect(checked).toMatchObject({ outcome: 'BACKFILLED', scopeState: { ...first, legacy: false } });
      const second = { ...first, collector: 'monasca' };
      const lastProcessedTimestamp = '2026-01-01T00:00:00.000001Z';
      expect(await api.advance({ unit: second, lastProcessedTimestamp, expected: null })).toMatchObject({
        outcome: 'CREATED',
        scopeState: { ...second, lastProcessedTimestamp },
      });
      expect(await api.find(first)).toEqual(checked.scopeState);
    }

    for (let n = 0; n < 10; n++) {
      const written = unit();
      await api.database.query(insertAsCloudKitty, [written.scopeId, `2026-01-01 00:00:00.00000${n}`]);
      const found = await api.find(written);
      expect(found).toMatchObject({
        ...written,
        lastProcessedTimestamp: `2026-01-01T00:00:00${n === 0 ? '' : `.00000${n}`}Z`,
        version: 1,
      });
      await api.database.query(
        `update cloudkitty_storage_states set last_processed_timestamp = '2025-12-01' where identifier = $1`,
        [written.scopeId],
      );
      await api.database.query(`update cloudkitty_storage_states set active = false where identifier = $1`, [
        written.scopeId,
      ]);
      expect(await api.find(written)).toMatchObject({
        lastProcessedTimestamp: '2025-12-01T00:00:00Z', // back: a foreign write keeps none of our promises
        active: false,
        version: 3,
      });
    }
  },
);
