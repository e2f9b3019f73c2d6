import { describe, expect, test } from '@jest/globals';
import { apiDatabases } from '../support/api-databases.js';
import { promised } from '../support/promised.js';
import { useStateApi } from '../support/state-api.js';
import { presentSequence, useSubscribers } from '../support/subscriber.js';
import { createTestDatabase } from '../support/test-database.js';
import { unit } from '../support/units.js';
import { until } from '../support/until.js';

const hour = (n: number) => new Date(Date.UTC(2026, 0, 1, n)).toISOString().replace('.000', '');

const subscribe = useSubscribers();

const databases = [
  ...apiDatabases,
  { name: 'a database of PostgreSQL 15', create: () => createTestDatabase({ major: 15 }) },
];

describe.each(databases)('$name', ({ create }) => {
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

  test('has a state that leaves its filter once more, and none of what comes later', async () => {
    const one = unit();
    const { scopeState } = await api.advance({ unit: one, lastProcessedTimestamp: hour(0) });
    const afterSequence = await presentSequence(api.server.url);
    const ofOne = (filter: object) =>
      subscribe(api.server.url, { filter: { scopeIds: [one.scopeId], ...filter }, afterSequence });
    const [active, early, nothing] = [
      ofOne({ active: true }),
      ofOne({ processedBefore: hour(1) }),
      ofOne({ collectors: [] }),
    ];
    const all = ofOne({});
    await api.advance({ unit: one, lastProcessedTimestamp: hour(2), expected: hour(0) });
    await api.advance({ unit: one, lastProcessedTimestamp: hour(3), expected: hour(2) });
    const select = { ids: [scopeState.id] };
    await api.server.data(
      `mutation ($input: SetScopeActivationInput!) { setScopeActivation(input: $input) { outcome } }`,
      { input: { select, active: false, reason: 'a test' } },
    );
    const removal = `mutation ($input: DeleteScopeStatesInput!) { deleteScopeStates(input: $input) { planToken } }`;
    const input = { select, reason: 'a test' };
    const { planToken } = (await api.server.data(removal, { input })).deleteScopeStates;
    await api.server.data(removal, { input: { ...input, planToken } });
    await all.saw(4);
    const kindsOf = ({ events }: typeof all) => events.map(({ kind }) => kind);
    await active.saw(3);
    await early.saw(1);
    expect(kindsOf(all)).toEqual(['ADVANCED', 'ADVANCED', 'DEACTIVATED', 'DELETED']);
    expect(all.events[3]).toMatchObject({ scopeState: null, scopeStateId: scopeState.id });
    expect(kindsOf(active)).toEqual(['ADVANCED', 'ADVANCED', 'DEACTIVATED']);
    expect(active.events[2]).toMatchObject({ scopeState: { active: false } });
    expect(kindsOf(early)).toEqual(['ADVANCED']);
    expect(nothing.events).toEqual([]);
  });

  test.each(['0', '0000000000000000000'])(
    'after the sequence %s has all that the history has',
    async (zero) => {
      const one = unit();
      await api.advance({ unit: one, lastProcessedTimestamp: hour(0) });
      await api.advance({ unit: one, lastProcessedTimestamp: hour(1) });
      const filter = { scopeIds: [one.scopeId] };
      const subscriber = subscribe(api.server.url, { filter, afterSequence: zero });
      const [created] = await subscriber.saw(2);
      expect(subscriber.events.map(({ kind }) => kind)).toEqual(['CREATED', 'ADVANCED']);
      const padded = subscribe(api.server.url, {
        filter,
        afterSequence: created!.sequence.padStart(19, '0'),
      });
      await padded.saw(1);
      expect(padded.events.map(({ kind }) => kind)).toEqual(['ADVANCED']);
    },
  );

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

  test.each([
    '',
    '-1',
    '+1',
    ' 1',
    '1 ',
    '1.5',
    '1e3',
    'abc',
    '0x10',
    '9223372036854775808',
    '0'.repeat(20),
    '٣',
  ])(
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
