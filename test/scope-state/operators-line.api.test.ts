import { expect, test } from '@jest/globals';
import { useStateApi } from '../support/state-api.js';
import { createTestDatabase } from '../support/test-database.js';
import { unit } from '../support/units.js';
import { until } from '../support/until.js';

const api = useStateApi(() => createTestDatabase());
const lockWaits = () =>
  api.database.query(
    `select from pg_stat_activity where datname = current_database() and application_name = 'scopestate' and wait_event_type = 'Lock'`,
  );

test('operators who wait for a row do not take the connections that others live on', async () => {
  const lastProcessedTimestamp = '2026-01-01T00:00:00Z';
  const { scopeState } = await api.advance({ unit: unit(), lastProcessedTimestamp });
  const other = await api.database.connect();
  await other.query('begin; select from cloudkitty_storage_states for update');
  const input = { select: { ids: [scopeState.id] }, active: false, reason: 'unpaid bills' };
  const waiting = Array.from({ length: 30 }, () =>
    api.server.data(
      `mutation ($input: SetScopeActivationInput!) { setScopeActivation(input: $input) { changed } }`,
      { input },
    ),
  );
  await until('some wait', async () => (await lockWaits()).length > 0);
  expect(await api.advance({ unit: unit(), lastProcessedTimestamp })).toMatchObject({ outcome: 'CREATED' });
  expect((await lockWaits()).length).toBeLessThanOrEqual(4);
  await other.query('commit');
  const payloads = await Promise.all(waiting);
  expect(payloads.filter(({ setScopeActivation }) => setScopeActivation.changed === 1)).toHaveLength(1);
});
