import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { promised } from '../support/promised.js';
import { useStateApi } from '../support/state-api.js';
import {
  beyondAll,
  openSubscriber,
  presentSequence,
  type Subscriber,
  type SubscriptionWanted,
} from '../support/subscriber.js';
import { apiDatabases } from '../support/api-databases.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer } from '../support/test-server.js';
import { unit } from '../support/units.js';
import { until } from '../support/until.js';

const hour = (n: number) => new Date(Date.UTC(2026, 0, 1, n)).toISOString().replace('.000', '');

let open: Subscriber[] = [];
function subscribe(url: string, wanted: SubscriptionWanted = {}): Subscriber {
  const subscriber = openSubscriber(url, wanted);
  open.push(subscriber);
  return subscriber;
}
beforeEach(() => {
  open = [];
});
afterEach(() => Promise.all(open.map((subscriber) => subscriber.stop())));

/** Feeds whose latest statement is that one. */
function feedsDoing(database: TestDatabase, statement: string): Promise<{ pid: number }[]> {
  return database.query<{ pid: number }>(
    'select pid from pg_stat_activity where datname = current_database() and starts_with(query, $1)',
    [`/* Feed.${statement}`],
  );
}

describe.each(apiDatabases)('$name', ({ create }) => {
  const api = useStateApi(create);

  test('a change is sent with its kind and the state after it', async () => {
    const one = unit();
    const afterSequence = await presentSequence(api.server.url);
    const subscriber = subscribe(api.server.url, { filter: { scopeIds: [one.scopeId] }, afterSequence });
    await api.advance({ unit: one, lastProcessedTimestamp: hour(0) });
    const { scopeState } = await api.advance({ unit: one, lastProcessedTimestamp: hour(1) });
    const [created, advanced] = await subscriber.saw(2);
    expect([created!.kind, advanced!.kind]).toEqual(['CREATED', 'ADVANCED']);
    expect(advanced).toMatchObject({
      scopeStateId: scopeState.id,
      changedAt: scopeState.updatedAt,
      scopeState: { scopeId: one.scopeId, lastProcessedTimestamp: hour(1), version: 2 },
    });
    expect(BigInt(advanced!.sequence)).toBeGreaterThan(BigInt(created!.sequence));
  });

  test('a removal is sent without a state, but says of which', async () => {
    const one = unit();
    const { scopeState } = await api.advance({ unit: one, lastProcessedTimestamp: hour(0) });
    const afterSequence = await presentSequence(api.server.url);
    const subscriber = subscribe(api.server.url, { filter: { scopeIds: [one.scopeId] }, afterSequence });
    await api.database.query('delete from cloudkitty_storage_states where identifier = $1', [one.scopeId]);
    const [removed] = await subscriber.saw(1);
    expect(removed).toMatchObject({ scopeStateId: scopeState.id, scopeState: null, kind: 'EXTERNAL' });
  });

  test('what another writer changes without a word is seen within two seconds', async () => {
    const one = unit();
    await api.advance({ unit: one, lastProcessedTimestamp: hour(0) });
    const afterSequence = await presentSequence(api.server.url);
    const subscriber = subscribe(api.server.url, { filter: { scopeIds: [one.scopeId] }, afterSequence });
    await api.database.query(
      `update cloudkitty_storage_states set last_processed_timestamp = '2026-01-01 05:00:00' where identifier = $1`,
      [one.scopeId],
    );
    const startedAt = performance.now();
    const [changed] = await subscriber.saw(1);
    expect(performance.now() - startedAt).toBeLessThan(promised(2_000));
    expect(changed).toMatchObject({ kind: 'EXTERNAL', scopeState: { lastProcessedTimestamp: hour(5) } });
  });
});

describe('a subscription', () => {
  const api = useStateApi(() => createTestDatabase());

  test('has what matched before the change or matches after it, and nothing else', async () => {
    const [moved, other] = [unit({ collector: 'before' }), unit({ collector: 'other' })];
    const { scopeState } = await api.advance({ unit: moved, lastProcessedTimestamp: hour(0) });
    const afterSequence = await presentSequence(api.server.url);
    const filtered = (collector: string) =>
      subscribe(api.server.url, { filter: { collectors: [collector] }, afterSequence });
    const [before, after, all] = [
      filtered('before'),
      filtered('after'),
      subscribe(api.server.url, { afterSequence }),
    ];
    await api.advance({ unit: other, lastProcessedTimestamp: hour(0) });
    const { collector: _, ...rest } = moved;
    const input = { id: scopeState.id, unit: { ...rest, collector: 'after' }, reason: 'a test' };
    await api.server.data(
      `mutation ($input: RekeyScopeStateInput!) { rekeyScopeState(input: $input) { outcome } }`,
      {
        input,
      },
    );
    await api.advance({
      unit: { ...rest, collector: 'after' },
      lastProcessedTimestamp: hour(1),
      expected: hour(0),
    });
    await all.saw(3);
    await after.saw(2);
    await before.saw(1);
    expect(before.events.map(({ kind, scopeState }) => [kind, scopeState?.collector])).toEqual([
      ['REKEYED', 'after'],
    ]);
    expect(after.events.map(({ kind }) => kind)).toEqual(['REKEYED', 'ADVANCED']);
  });

  test('without a sequence begins with what is committed from now on', async () => {
    const one = unit();
    await api.advance({ unit: one, lastProcessedTimestamp: hour(0) });
    const subscriber = subscribe(api.server.url, { filter: { scopeIds: [one.scopeId] } });
    let n = 1;
    await until('it has begun', async () => {
      await api.advance({ unit: one, lastProcessedTimestamp: hour(n++) });
      return subscriber.events.length > 0;
    });
    const [first] = subscriber.events;
    await api.advance({ unit: one, lastProcessedTimestamp: hour(n++) });
    await until(
      'the last one',
      () => subscriber.events.at(-1)!.scopeState!.lastProcessedTimestamp === hour(n - 1),
    );
    expect(subscriber.events.map(({ scopeState }) => scopeState!.version)).toEqual(
      Array.from(
        { length: n - first!.scopeState!.version + 1 },
        (_, place) => first!.scopeState!.version + place,
      ),
    );
  });

  test('comes back with its last sequence: nothing is missed, nothing comes twice', async () => {
    const one = unit();
    const filter = { scopeIds: [one.scopeId] };
    let last = await presentSequence(api.server.url);
    const versions: number[] = [];
    for (let n = 0; n < 6; n++) {
      await api.advance({ unit: one, lastProcessedTimestamp: hour(2 * n) });
      const subscriber = subscribe(api.server.url, { filter, afterSequence: last });
      await api.advance({ unit: one, lastProcessedTimestamp: hour(2 * n + 1) });
      await subscriber.saw(2);
      await subscriber.stop();
      versions.push(...subscriber.events.map(({ scopeState }) => scopeState!.version));
      last = subscriber.events.at(-1)!.sequence;
    }
    expect(versions).toEqual(Array.from({ length: 12 }, (_, place) => place + 1));
  });

  test('reads thousands of changes that it missed', async () => {
    const one = unit();
    await api.insertExact(one, hour(0));
    const afterSequence = await presentSequence(api.server.url);
    await api.database.query(
      `do $$ begin for n in 1..2500 loop
         update cloudkitty_storage_states set last_processed_timestamp = '2026-01-01'::timestamp + n * interval '1 s'
         where identifier = '${one.scopeId}'; commit;
       end loop; end $$`,
    );
    const subscriber = subscribe(api.server.url, { filter: { scopeIds: [one.scopeId] }, afterSequence });
    await subscriber.saw(2_500);
    expect(subscriber.events.map(({ scopeState }) => scopeState!.version)).toEqual(
      Array.from({ length: 2_500 }, (_, place) => place + 2),
    );
  });

  test.each(['', '-1', '1.5', 'abc', '0x10', '9223372036854775808', '٣'])(
    'after the sequence "%s" is refused, with the field, what was found and what is allowed',
    async (afterSequence) => {
      const subscriber = subscribe(api.server.url, { afterSequence });
      await subscriber.ended;
      expect(subscriber.errors).toMatchObject([
        {
          message: expect.stringContaining(
            `afterSequence: found ${JSON.stringify(afterSequence)}; allowed: `,
          ),
          extensions: {
            code: 'BAD_USER_INPUT',
            field: 'afterSequence',
            requestId: expect.stringMatching(/./),
          },
        },
      ]);
    },
  );

  test('with a filter that nothing could match is refused as elsewhere', async () => {
    const subscriber = subscribe(api.server.url, { filter: { scopeIds: [''] } });
    await subscriber.ended;
    expect(subscriber.errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', field: 'filter.scopeIds[0]' } },
    ]);
  });

  test('over plain HTTP is told where to go', async () => {
    const { errors } = await api.server.ask('subscription { scopeStateChanged { sequence } }');
    expect(errors).toMatchObject([
      { message: expect.stringContaining('/graphql/stream'), extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });
});

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

describe('a writer that holds its transaction open', () => {
  const api = useStateApi(() => createTestDatabase());

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
    await until('no feed runs', async () => (await feedsDoing(api.database, '')).length === 0);
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
    const server = await startServer({ DATABASE_URL: api.database.url });
    const fresh = subscribe(server.url);
    const resumed = subscribe(server.url, { afterSequence });
    await until(
      'its feed waits for the writer',
      async () => (await feedsDoing(api.database, 'holders')).length > 0,
    );
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
