import { describe, expect, test } from '@jest/globals';
import { createTestDatabase, postgresMajors } from '../support/test-database.js';
import { unit } from '../support/units.js';
import { useHistoryApi } from './history-api.js';

const table = 'cloudkitty_storage_states';

describe.each(postgresMajors)('on PostgreSQL %i, another program', (major) => {
  const history = useHistoryApi(() => createTestDatabase({ major }));
  const api = history.states;

  async function asCloudKitty(statement: string, values: unknown[] = []): Promise<void> {
    const client = await api.database.connect();
    await client.query(`set application_name = 'cloudkitty-processor'`);
    await client.query(statement, values);
  }

  const actor = 'external:cloudkitty-processor';

  test('that inserts, updates and deletes a state leaves entries, exact before and after', async () => {
    const asked = unit();
    await asCloudKitty(
      `insert into ${table} (identifier, scope_key, collector, fetcher, last_processed_timestamp)
       values ($1, 'project_id', 'gnocchi', 'keystone', '2026-01-01')`,
      [asked.scopeId],
    );
    const made = await api.find(asked);
    await asCloudKitty(
      `update ${table} set last_processed_timestamp = '2025-12-01 00:00:00.000001' where identifier = $1`,
      [asked.scopeId],
    );
    const moved = await api.find(asked);
    await asCloudKitty(`delete from ${table} where identifier = $1`, [asked.scopeId]);
    expect((await history.changes({ scopeIds: [asked.scopeId] })).nodes).toMatchObject([
      { kind: 'EXTERNAL', actor, before: moved, after: null, requestId: null, reason: null, ...asked },
      { kind: 'EXTERNAL', actor, before: made, after: moved, changedAt: moved.updatedAt },
      { kind: 'EXTERNAL', actor, before: null, after: made, changedAt: made.updatedAt },
    ]);
  });

  test('that switches a scope off, or moves a state to another unit, leaves what was before', async () => {
    const asked = unit();
    const { scopeState } = await api.create({ unit: asked, lastProcessedTimestamp: '2026-01-01T00:00:00Z' });
    await asCloudKitty(
      `update ${table} set active = false, scope_activation_toggle_date = '2026-02-01' where identifier = $1`,
      [asked.scopeId],
    );
    await asCloudKitty(`update ${table} set collector = 'monasca' where identifier = $1`, [asked.scopeId]);
    const [rekeyed, switched] = await history.ofState(scopeState.id);
    expect(switched).toMatchObject({ before: scopeState, after: { active: false, version: 2 } });
    expect(rekeyed).toMatchObject({ before: switched.after, after: { collector: 'monasca', version: 3 } });
  });

  test('that raises the version itself is found out as well', async () => {
    const asked = unit();
    const { scopeState } = await api.create({ unit: asked, lastProcessedTimestamp: '2026-01-01T00:00:00Z' });
    await asCloudKitty(
      `update ${table} set last_processed_timestamp = '2026-01-05', version = version + 1 where identifier = $1`,
      [asked.scopeId],
    );
    expect((await history.ofState(scopeState.id))[0]).toMatchObject({ kind: 'EXTERNAL', actor });
  });

  test('that changes nothing leaves none', async () => {
    const asked = unit();
    await api.create({ unit: asked, lastProcessedTimestamp: '2026-01-01T00:00:00Z' });
    await asCloudKitty(`update ${table} set active = active where identifier = $1`, [asked.scopeId]);
    expect(await history.kindsOf(asked.scopeId)).toEqual(['CREATED']);
  });

  test('that gives a state another id removes one and makes another', async () => {
    const asked = unit();
    const { scopeState } = await api.create({ unit: asked, lastProcessedTimestamp: '2026-01-01T00:00:00Z' });
    await asCloudKitty(`update ${table} set id = 2000000001 where identifier = $1`, [asked.scopeId]);
    const { nodes } = await history.changes({ scopeIds: [asked.scopeId], kinds: ['EXTERNAL'] });
    expect(nodes).toMatchObject([
      { before: null, after: { ...asked } },
      { stateId: scopeState.id, before: { ...asked }, after: null },
    ]);
    expect(nodes[0].stateId).not.toBe(scopeState.id);
  });

  test('that sets times of its own is dated by the clock: the past stays as it was', async () => {
    const asked = unit();
    const { scopeState } = await api.create({ unit: asked, lastProcessedTimestamp: '2026-01-01T00:00:00Z' });
    await api.advance({ unit: asked, lastProcessedTimestamp: '2026-01-02T00:00:00Z' });
    const then = (await api.clock()).toString();
    const advanced = await api.find(asked);
    // As a row of a backup is put back, with all that it said; and a write that says it was made long ago.
    await asCloudKitty(`delete from ${table} where identifier = $1`, [asked.scopeId]);
    const [row] = await api.database.query<{ id: number }>(
      `insert into ${table} (identifier, scope_key, collector, fetcher, last_processed_timestamp, updated_at)
       values ($1, $2, $3, $4, '2026-01-01', timezone('utc', now()) - interval '1 day') returning id`,
      Object.values(asked),
    );
    expect(row!.id).not.toBe(scopeState.id);
    await asCloudKitty(
      `update ${table} set version = version + 1, last_processed_timestamp = '2026-01-05',
         updated_at = timezone('utc', now()) - interval '1 hour' where identifier = $1`,
      [asked.scopeId],
    );
    const [written, put, removed] = (await history.changes({ scopeIds: [asked.scopeId] })).nodes;
    for (const { changedAt } of [written, put, removed])
      expect(Temporal.Instant.compare(changedAt, then)).toBe(1);
    expect(await history.asOf(asked, then)).toEqual({
      ...advanced,
      lag: expect.anything(),
      duePeriods: expect.anything(),
    });
  });

  test('without a name is named after its role; a temporary table of that name hides nothing', async () => {
    const asked = unit();
    const client = await api.database.connect();
    await client.query(`set application_name = ''`);
    await client.query(`create temporary table scopestate_history (like public.scopestate_history)`);
    await client.query(
      `insert into ${table} (identifier, last_processed_timestamp) values ($1, '2026-01-01')`,
      [asked.scopeId],
    );
    expect((await history.changes({ scopeIds: [asked.scopeId] })).nodes).toMatchObject([
      { kind: 'EXTERNAL', actor: `external:${new URL(api.database.url).username}` },
    ]);
  });

  test('that truncates the table removes every state', async () => {
    const asked = unit();
    await api.create({ unit: asked, lastProcessedTimestamp: '2026-01-01T00:00:00Z' });
    const before = await api.rows();
    await asCloudKitty(`truncate ${table}`);
    const nodes: any[] = (await history.changes({ kinds: ['EXTERNAL'] }, before.length)).nodes;
    expect(nodes).toHaveLength(before.length);
    expect(nodes.every(({ after }: any) => after === null)).toBe(true);
    expect(await history.kindsOf(asked.scopeId)).toEqual(['CREATED', 'EXTERNAL']);
  });
});
