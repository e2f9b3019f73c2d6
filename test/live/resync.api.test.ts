import { describe, expect, test } from '@jest/globals';
import { useStateApi } from '../support/state-api.js';
import { beyondAll, presentSequence, useSubscribers } from '../support/subscriber.js';
import { createTestDatabase } from '../support/test-database.js';
import { unit } from '../support/units.js';

const hour = (n: number) => new Date(Date.UTC(2026, 0, 1, n)).toISOString().replace('.000', '');

const subscribe = useSubscribers();

describe('RESYNC', () => {
  const api = useStateApi(() => createTestDatabase());

  test('comes at once, and last, for a sequence that there is not yet', async () => {
    const subscriber = subscribe(api.server.url, { afterSequence: beyondAll });
    await subscriber.ended;
    expect(subscriber.events).toMatchObject([{ kind: 'RESYNC', scopeState: null, scopeStateId: null }]);
  });

  test('comes for a sequence whose successors were pruned; its own sequence is one to go on from', async () => {
    const one = unit();
    const before = await presentSequence(api.server.url);
    for (let n = 0; n < 3; n++) await api.advance({ unit: one, lastProcessedTimestamp: hour(n) });
    const pruned = await presentSequence(api.server.url);
    await api.database.query(
      `with gone as (delete from scopestate_history where sequence < ${pruned})
       update scopestate_history_start set sequence = ${pruned}::bigint - 1`,
    );
    const late = subscribe(api.server.url, { afterSequence: before });
    await late.ended;
    expect(late.events).toMatchObject([{ kind: 'RESYNC', sequence: pruned }]);

    const onTime = subscribe(api.server.url, { afterSequence: String(BigInt(pruned) - 1n) });
    await onTime.saw(1);
    const goneOn = subscribe(api.server.url, { afterSequence: late.events[0]!.sequence });
    await api.advance({ unit: one, lastProcessedTimestamp: hour(4) });
    await onTime.saw(2);
    await goneOn.saw(1);
    expect(onTime.events.map(({ scopeState }) => scopeState!.version)).toEqual([3, 4]);
    expect(goneOn.events.map(({ scopeState }) => scopeState!.version)).toEqual([4]);
  });

  test('a history that is older than what was seen of it: all are told', async () => {
    const one = unit();
    for (let n = 0; n < 3; n++) await api.advance({ unit: one, lastProcessedTimestamp: hour(n) });
    const afterSequence = await presentSequence(api.server.url);
    const subscriber = subscribe(api.server.url, { afterSequence });
    await api.advance({ unit: one, lastProcessedTimestamp: hour(3) });
    await subscriber.saw(1);
    await api.database.query('truncate scopestate_history');
    await api.database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and query like '/* Feed.%'`,
    );
    await subscriber.saw('RESYNC');
    await subscriber.ended;
  });
});
