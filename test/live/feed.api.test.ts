import { describe, expect, test } from '@jest/globals';
import { promised } from '../support/promised.js';
import { useStateApi } from '../support/state-api.js';
import { presentSequence, useSubscribers } from '../support/subscriber.js';
import { createTestDatabase, postgresMajors, type TestDatabase } from '../support/test-database.js';
import { startServer } from '../support/test-server.js';
import { unit } from '../support/units.js';
import { until } from '../support/until.js';

const hour = (n: number) => new Date(Date.UTC(2026, 0, 1, n)).toISOString().replace('.000', '');

const subscribe = useSubscribers();

/** Feeds whose latest statement is that one. */
function feedsDoing(database: TestDatabase, statement: string): Promise<{ pid: number }[]> {
  return database.query<{ pid: number }>(
    'select pid from pg_stat_activity where datname = current_database() and query ~ $1',
    [`^/\\* Feed\\.${statement}`],
  );
}

describe.each(postgresMajors)('on PostgreSQL %i a writer that holds its transaction open', (major) => {
  const api = useStateApi(() => createTestDatabase({ major }));

  test.each(['commit', 'rollback'])('keeps back what came after it, until its %s', async (end) => {
    const [held, other] = [unit(), unit()];
    for (const one of [held, other]) await api.advance({ unit: one, lastProcessedTimestamp: hour(0) });
    const afterSequence = await presentSequence(api.server.url);
    const filter = { scopeIds: [held.scopeId, other.scopeId] };
    const subscriber = subscribe(api.server.url, { filter, afterSequence });
    const writer = await api.database.connect();
    await writer.query('begin');
    await writer.query(
      `update cloudkitty_storage_states set last_processed_timestamp = '2026-01-01 01:00' where identifier = $1`,
      [held.scopeId],
    );
    await api.advance({ unit: other, lastProcessedTimestamp: hour(1) });
    // A subscriber that comes now has to wait as well: it would else go on after a number that is still to come.
    const later = subscribe(api.server.url, { filter, afterSequence });
    await until(
      'the feed has seen the gap',
      async () => (await feedsDoing(api.database, 'holders')).length > 0,
    );
    expect(subscriber.events).toEqual([]);
    await writer.query(end);
    const startedAt = performance.now();
    const wanted = end === 'commit' ? [held, other] : [other];
    for (const one of [subscriber, later]) {
      await one.saw(wanted.length);
      expect(one.events.map(({ scopeState }) => scopeState!.scopeId)).toEqual(
        wanted.map(({ scopeId }) => scopeId),
      );
    }
    expect(performance.now() - startedAt).toBeLessThan(promised(2_000));
  });

  test('and has a number from before the feed began: its change comes all the same, in its place', async () => {
    const [held, other] = [unit(), unit()];
    for (const one of [held, other]) await api.advance({ unit: one, lastProcessedTimestamp: hour(0) });
    const [{ afterSequence }] = (await api.database.query<{ afterSequence: string }>(
      'select max(sequence) as "afterSequence" from scopestate_history',
    )) as [{ afterSequence: string }];
    const writer = await api.database.connect();
    await writer.query('begin');
    await writer.query(
      `update cloudkitty_storage_states set last_processed_timestamp = '2026-01-01 01:00' where identifier = $1`,
      [held.scopeId],
    );
    await api.advance({ unit: other, lastProcessedTimestamp: hour(1) });
    // The other server's feed may still be there, and look for the writer, too.
    const others = (await api.database.query<{ pid: number }>('select pid from pg_stat_activity')).map(
      ({ pid }) => pid,
    );
    const server = await startServer({ DATABASE_URL: api.database.url });
    const fresh = subscribe(server.url);
    await until('its feed waits for the writer', async () =>
      (await feedsDoing(api.database, 'holders')).some(({ pid }) => !others.includes(pid)),
    );
    const resumed = subscribe(server.url, { afterSequence });
    await writer.query('commit');
    await resumed.saw(2);
    await fresh.saw(1);
    expect(resumed.events.map(({ scopeState }) => scopeState!.scopeId)).toEqual([
      held.scopeId,
      other.scopeId,
    ]);
    expect(fresh.events[0]!.scopeState!.scopeId).toBe(held.scopeId);
    await Promise.all([fresh.stop(), resumed.stop()]);
    expect(await server.stop()).toBe(0);
  });
});

describe('the database connection of the feed', () => {
  const api = useStateApi(() => createTestDatabase());
  const feeds = () => feedsDoing(api.database, 'inRanges');

  test('is lost: the feed goes on where it was, and subscribers notice nothing', async () => {
    const one = unit();
    const afterSequence = await presentSequence(api.server.url);
    const subscriber = subscribe(api.server.url, { filter: { scopeIds: [one.scopeId] }, afterSequence });
    for (let n = 0; n < 10; n++) {
      await api.advance({ unit: one, lastProcessedTimestamp: hour(n) });
      if (n % 3 === 0)
        for (const { pid } of await feeds()) await api.database.query(`select pg_terminate_backend(${pid})`);
    }
    await subscriber.saw(10);
    expect(subscriber.events.map(({ scopeState }) => scopeState!.version)).toEqual(
      Array.from({ length: 10 }, (_, place) => place + 1),
    );
    expect(api.server.logLines.some((line) => line.includes('feed-interrupted'))).toBe(true);
  });

  test('is there for all subscribers together, and not when there are none', async () => {
    const subscribers = Array.from({ length: 5 }, () => subscribe(api.server.url));
    await until('the feed reads', async () => (await feeds()).length > 0);
    expect(await feeds()).toHaveLength(1);
    await Promise.all(subscribers.map((subscriber) => subscriber.stop()));
    await until('it is gone', async () => (await feeds()).length === 0);
  });
});

test('a change through another server arrives, within two seconds', async () => {
  const database = await createTestDatabase();
  const servers = await Promise.all([1, 2].map(() => startServer({ DATABASE_URL: database.url })));
  const afterSequence = await presentSequence(servers[0]!.url);
  const subscriber = subscribe(servers[0]!.url, { afterSequence });
  const input = { unit: unit(), lastProcessedTimestamp: hour(0) };
  await servers[1]!.data(
    `mutation ($input: AdvanceScopeStateInput!) { advanceScopeState(input: $input) { outcome } }`,
    { input },
  );
  const startedAt = performance.now();
  await subscriber.saw(1);
  expect(performance.now() - startedAt).toBeLessThan(promised(2_000));
  await subscriber.stop();
  expect(await Promise.all(servers.map((server) => server.stop()))).toEqual([0, 0]);
  await database.drop();
});
