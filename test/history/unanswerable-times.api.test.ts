import { expect, test } from '@jest/globals';
import { useHistoryApi } from './history-api.js';
import { openSubscriber, presentSequence } from '../support/subscriber.js';
import { createTestDatabase } from '../support/test-database.js';
import { unit } from '../support/units.js';

const history = useHistoryApi(() => createTestDatabase());
const api = history.states;

test('what other writers once set, and nobody can answer, stops neither pages, nor the past, nor live updates', async () => {
  const [asked, next] = [unit(), unit()];
  const { scopeState } = await api.create({ unit: asked, lastProcessedTimestamp: '2026-01-01T00:00:00Z' });
  const then = (await api.clock()).toString();
  const afterSequence = await presentSequence(api.server.url);
  await api.database.writeAsOurs(
    `update cloudkitty_storage_states set updated_at = 'infinity', last_advanced_at = '-infinity' where identifier = $1`,
    [asked.scopeId],
  );
  await api.database.query(
    `insert into scopestate_history (kind, state_id, identifier, scope_key, collector, fetcher, last_processed_timestamp, active,
       scope_activation_toggle_date, last_advanced_at, version, old_last_processed_timestamp, old_last_advanced_at, old_version,
       old_updated_at, recorded_at, actor)
     select 'EXTERNAL', id, identifier, scope_key, collector, fetcher, last_processed_timestamp, active,
       scope_activation_toggle_date, '294276-01-01', version, last_processed_timestamp, '-infinity', version,
       'infinity', timezone('utc', clock_timestamp()), 'external:somebody'
     from cloudkitty_storage_states where identifier = $1`,
    [asked.scopeId],
  );
  const clamped = { updatedAt: '9999-12-31T23:59:59.999999Z', lastAdvancedAt: '0001-01-01T00:00:00Z' };
  expect(await api.find(asked)).toMatchObject(clamped);
  expect((await api.check(asked)).scopeState).toMatchObject(clamped);
  const [entry] = await history.ofState(scopeState.id);
  expect(entry).toMatchObject({
    kind: 'EXTERNAL',
    before: { ...clamped },
    after: { lastAdvancedAt: '9999-12-31T23:59:59.999999Z' },
  });
  expect(await history.asOf(asked, then)).toMatchObject({ lastAdvancedAt: null });

  const subscriber = openSubscriber(api.server.url, { afterSequence });
  await api.create({ unit: next, lastProcessedTimestamp: '2026-01-01T00:00:00Z' });
  expect((await subscriber.saw(2)).map(({ kind }) => kind)).toEqual(['EXTERNAL', 'CREATED']);
  await subscriber.stop();
});
