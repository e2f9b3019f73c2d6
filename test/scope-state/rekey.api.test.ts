import { describe, expect, test } from '@jest/globals';
import { apiDatabases } from '../support/api-databases.js';
import { useStateApi } from '../support/state-api.js';
import { unit, type Unit } from '../support/units.js';

describe.each(apiDatabases)('on $name', ({ create }) => {
  const api = useStateApi(create);

  const table = 'cloudkitty_storage_states';
  const nodeId = (row: number) => Buffer.from(`ScopeState:${row}`).toString('base64url');

  const stateFields = 'id scopeId scopeKey collector fetcher legacy lastProcessedTimestamp active version';
  const mutation = /* GraphQL */ `
  mutation ($input: RekeyScopeStateInput!) {
    rekeyScopeState(input: $input) {
      outcome
      scopeState {
        ${stateFields}
      }
    }
  }
`;

  async function rekey(id: string, to: Unit) {
    return (await api.server.data(mutation, { input: { id, unit: to, reason: 'renamed' } })).rekeyScopeState;
  }

  /** A row, legacy unless some of the other three parts are given; its node id. */
  async function insertRow(parts: Partial<Unit> & { scopeId: string }): Promise<string> {
    const [row] = await api.database.query<{ id: number }>(
      `insert into ${table} (identifier, scope_key, collector, fetcher, last_processed_timestamp)
     values ($1, $2, $3, $4, '2026-01-01 00:00:00.000001') returning id`,
      [parts.scopeId, parts.scopeKey, parts.collector, parts.fetcher],
    );
    return nodeId(row!.id);
  }

  const at = '2026-01-01T00:00:00.000001Z';

  function rowsOf(...units: Unit[]): Promise<unknown[]> {
    return api.database.query(
      `select s::text as row, xmin::text from ${table} s where identifier = any ($1) order by id`,
      [units.map(({ scopeId }) => scopeId)],
    );
  }

  async function advance(of: Unit, to: string, more: { expected?: string | null } = {}): Promise<string> {
    const { advanceScopeState } = await api.server.data(
      'mutation ($input: AdvanceScopeStateInput!) { advanceScopeState(input: $input) { outcome } }',
      { input: { unit: of, lastProcessedTimestamp: to, ...more } },
    );
    return advanceScopeState.outcome;
  }

  async function check(of: Unit) {
    const { checkScopeState } = await api.server.data(
      `mutation ($unit: CollectionUnitInput!) {
       checkScopeState(input: { unit: $unit }) { outcome scopeState { ${stateFields} } }
     }`,
      { unit: of },
    );
    return checkScopeState;
  }

  const { scopeKey, collector, fetcher } = unit();
  const shapes: [string, Partial<Unit>][] = [
    ['a state', { scopeKey, collector, fetcher }],
    ['a legacy state', {}],
    ['a row with a scope key only', { scopeKey }],
    ['a row without a collector', { scopeKey, fetcher }],
    ['a row with a fetcher only', { fetcher }],
    ['a row of empty texts', { scopeKey: '', collector: '', fetcher: '' }],
  ];

  test.each(shapes)('%s is moved to another unit, with its id and timestamp', async (_, parts) => {
    const from = unit();
    const to = unit({ collector: 'monasca' });
    const id = await insertRow({ ...parts, scopeId: from.scopeId });
    const moved = { ...to, id, legacy: false, lastProcessedTimestamp: at, active: true, version: 2 };
    expect(await rekey(id, to)).toEqual({ outcome: 'REKEYED', scopeState: moved });
    expect(await check(to)).toEqual({ outcome: 'FOUND', scopeState: moved });
    expect(await check(from)).toEqual({ outcome: 'UNKNOWN', scopeState: null });
  });

  test.each(shapes)('%s is moved within its scope id', async (_, parts) => {
    const to = unit({ fetcher: 'source' });
    const id = await insertRow({ ...parts, scopeId: to.scopeId });
    expect(await rekey(id, to)).toMatchObject({ outcome: 'REKEYED', scopeState: { ...to, id, version: 2 } });
  });

  test('to its own unit it is UNCHANGED, and nothing is written', async () => {
    const own = unit();
    const id = await insertRow(own);
    const before = await rowsOf(own);
    expect(await rekey(id, own)).toMatchObject({ outcome: 'UNCHANGED', scopeState: { id, version: 1 } });
    expect(await rowsOf(own)).toEqual(before);
    // Nothing was moved, so an unguarded advance is as good as before.
    expect(await advance(own, '2026-01-02T00:00:00Z')).toBe('ADVANCED');
  });

  test.each(shapes)('%s is not moved to a unit that has a state: UNIT_TAKEN', async (_, parts) => {
    const from = unit();
    const taken = unit();
    const id = await insertRow({ ...parts, scopeId: from.scopeId });
    await insertRow(taken);
    const before = await rowsOf(from, taken);
    expect(await rekey(id, taken)).toMatchObject({
      outcome: 'UNIT_TAKEN',
      scopeState: { id, scopeId: from.scopeId, version: 1 },
    });
    expect(await rowsOf(from, taken)).toEqual(before);
  });

  test('a legacy state of the new scope id does not stand in the way, and stays', async () => {
    const from = unit();
    const to = unit();
    const id = await insertRow(from);
    const legacy = await insertRow({ scopeId: to.scopeId });
    expect(await rekey(id, to)).toMatchObject({ outcome: 'REKEYED', scopeState: { id } });
    expect(await check({ ...to, collector: 'monasca' })).toMatchObject({
      outcome: 'BACKFILLED',
      scopeState: { id: legacy },
    });
  });

  test('a state that is not there is NOT_FOUND', async () => {
    const gone = nodeId(2_000_000_000);
    expect(await rekey(gone, unit())).toEqual({ outcome: 'NOT_FOUND', scopeState: null });
  });

  test('an advance without expected is STALE after a rekey until the new unit is checked', async () => {
    const from = unit();
    const to = { ...from, collector: 'monasca' };
    await rekey(await insertRow(from), to);
    const before = await rowsOf(to);
    expect(await advance(to, '2026-02-01T00:00:00Z')).toBe('STALE');
    expect(await rowsOf(to)).toEqual(before);
    expect((await check(to)).outcome).toBe('FOUND');
    expect(await advance(to, '2026-02-01T00:00:00Z')).toBe('ADVANCED');
  });

  test('a guarded advance that knows the state is good after a rekey, and so is the next unguarded one', async () => {
    const from = unit();
    const to = { ...from, collector: 'monasca' };
    await rekey(await insertRow(from), to);
    expect(await advance(to, '2026-02-01T00:00:00Z', { expected: null })).toBe('STALE');
    expect(await advance(to, '2026-02-01T00:00:00Z', { expected: at })).toBe('ADVANCED');
    expect(await advance(to, '2026-02-02T00:00:00Z')).toBe('ADVANCED');
  });

  test('an inactive state is moved and stays inactive', async () => {
    const from = unit();
    const id = await insertRow(from);
    await api.database.query(`update ${table} set active = false where identifier = $1`, [from.scopeId]);
    expect(await rekey(id, { ...from, fetcher: 'source' })).toMatchObject({
      outcome: 'REKEYED',
      scopeState: { active: false },
    });
  });

  test('of two states that are moved to one unit at once, one gets it', async () => {
    const to = unit();
    const ids = await Promise.all([insertRow(unit()), insertRow(unit()), insertRow(unit())]);
    const outcomes = await Promise.all(ids.map(async (id) => (await rekey(id, to)).outcome));
    expect(outcomes.toSorted()).toEqual(['REKEYED', 'UNIT_TAKEN', 'UNIT_TAKEN']);
  });

  test.each([
    ['id', { id: '' }],
    ['id', { id: '7' }],
    ['id', { id: Buffer.from('Other:7').toString('base64url') }],
    ['id', { id: `${nodeId(7)}=` }],
    ['id', { id: nodeId(0) }],
    ['id', { id: nodeId(-7) }],
    ['unit.collector', { unit: { ...unit(), collector: '' } }],
    ['unit.scopeId', { unit: unit({ scopeId: 'x'.repeat(257) }) }],
    ['reason', { reason: '' }],
    ['reason', { reason: ' \n' }],
    ['reason', { reason: 'x'.repeat(1_001) }],
  ])('a wrong %s is refused by name (case %#)', async (field, wrong) => {
    const input = { id: await insertRow(unit()), unit: unit(), reason: 'x', ...wrong };
    expect(await api.server.ask(mutation, { input })).toMatchObject({
      errors: [{ extensions: { code: 'BAD_USER_INPUT', field: `input.${field}` } }],
    });
  });
});
