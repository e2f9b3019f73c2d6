import { describe, expect, test } from '@jest/globals';
import { apiDatabases } from '../support/api-databases.js';
import { randomUUID } from 'node:crypto';
import { useStateApi } from '../support/state-api.js';
import { unit } from '../support/units.js';

describe.each(apiDatabases)('on $name', ({ create }) => {
  const api = useStateApi(create);

  const table = 'cloudkitty_storage_states';
  const nodeId = (row: number) => Buffer.from(`ScopeState:${row}`).toString('base64url');

  const mutation = /* GraphQL */ `
    mutation ($input: DeleteScopeStatesInput!) {
      deleteScopeStates(input: $input) {
        outcome
        matched
        changed
        planToken
        unmatched
        sample {
          id
          scopeId
          lastProcessedTimestamp
        }
      }
    }
  `;

  type Payload = { sample: { id: string }[]; planToken: string } & Record<string, unknown>;

  async function remove(input: Record<string, unknown>): Promise<Payload> {
    return (await api.server.data(mutation, { input: { reason: 'customer left', ...input } }))
      .deleteScopeStates;
  }

  /** Rows 0001, 0002, … of a new prefix. */
  async function insertRows(count: number): Promise<string> {
    const prefix = `${randomUUID()}/`;
    await api.database.query(
      `insert into ${table} (identifier, scope_key, collector, fetcher, last_processed_timestamp)
     select $1 || lpad(n::text, 4, '0'), 'project_id', 'gnocchi', 'keystone', '2026-01-01'
     from generate_series(1, $2::int) n`,
      [prefix, count],
    );
    return prefix;
  }

  const insertLegacy = (scopeId: string) =>
    api.database.query(
      `insert into ${table} (identifier, last_processed_timestamp) values ($1, '2026-01-01')`,
      [scopeId],
    );

  function rows(prefix: string): Promise<{ id: number; row: string; xmin: string }[]> {
    return api.database.query(
      `select id, s::text as row, xmin::text from ${table} s where starts_with(identifier, $1) order by identifier, id`,
      [prefix],
    );
  }

  const inputs = {
    setScopeActivation: 'SetScopeActivationInput',
    rekeyScopeState: 'RekeyScopeStateInput',
    checkScopeState: 'CheckScopeStateInput',
    advanceScopeState: 'AdvanceScopeStateInput',
    resetScopeStates: 'ResetScopeStatesInput',
    deleteScopeStates: 'DeleteScopeStatesInput',
  };

  function text(name: keyof typeof inputs): string {
    return `mutation ($input: ${inputs[name]}!) { ${name}(input: $input) { outcome } }`;
  }

  async function does(name: keyof typeof inputs, outcome: string, input: object) {
    expect((await api.server.data(text(name), { input }))[name].outcome).toBe(outcome);
  }

  test('a dry run deletes nothing; its token deletes all that was planned, once', async () => {
    const prefix = await insertRows(25);
    const other = await insertRows(1);
    const select = { filter: { scopeIdPrefix: prefix } };
    const before = await rows(prefix);
    const plan = await remove({ select });
    expect(plan).toMatchObject({ outcome: 'PLANNED', matched: 25, changed: 0, unmatched: [] });
    expect(plan.sample.map(({ id }) => id)).toEqual(before.slice(0, 20).map(({ id }) => nodeId(id)));
    expect(await rows(prefix)).toEqual(before);

    const applied = await remove({ select, planToken: plan.planToken });
    expect(applied).toMatchObject({ outcome: 'APPLIED', matched: 25, changed: 25, sample: plan.sample });
    expect(await rows(prefix)).toEqual([]);
    expect(await rows(other)).toHaveLength(1);

    expect(await remove({ select, planToken: plan.planToken })).toMatchObject({
      outcome: 'PLAN_STALE',
      matched: 0,
      changed: 0,
    });
  });

  const rowOne = async (prefix: string) => nodeId((await rows(prefix))[0]!.id);
  const setFirst = (columns: string) => (prefix: string) =>
    api.database.query(`update ${table} set ${columns} where identifier = $1`, [`${prefix}0001`]);

  const spoilers: [string, (prefix: string) => Promise<unknown>][] = [
    [
      'a state was advanced',
      (prefix) =>
        does('advanceScopeState', 'ADVANCED', {
          unit: unit({ scopeId: `${prefix}0001` }),
          lastProcessedTimestamp: '2026-01-01T00:00:00.000001Z',
        }),
    ],
    ['a foreign writer advanced a state', setFirst(`last_processed_timestamp = '2026-01-02'`)],
    ['a foreign writer set another column', setFirst(`fetcher = 'source'`)],
    [
      'a state was created',
      (prefix) =>
        does('advanceScopeState', 'CREATED', {
          unit: unit({ scopeId: `${prefix}0003` }),
          lastProcessedTimestamp: '2026-01-01T00:00:00Z',
        }),
    ],
    [
      'a state was deleted',
      async (prefix) => {
        const select = { ids: [await rowOne(prefix)] };
        const { planToken } = await remove({ select });
        await does('deleteScopeStates', 'APPLIED', { select, planToken, reason: 'x' });
      },
    ],
    [
      'a scope was switched off',
      async (prefix) => {
        const select = { ids: [await rowOne(prefix)] };
        await does('setScopeActivation', 'APPLIED', { select, active: false, reason: 'x' });
      },
    ],
    [
      'a state was reset',
      async (prefix) => {
        const input = { select: { ids: [await rowOne(prefix)] }, reason: 'x' };
        const at = { lastProcessedTimestamp: '2025-12-31T00:00:00Z' };
        const answer = await api.server.data(
          'mutation ($input: ResetScopeStatesInput!) { resetScopeStates(input: $input) { planToken } }',
          { input: { ...input, ...at } },
        );
        const { planToken } = answer.resetScopeStates;
        await does('resetScopeStates', 'APPLIED', { ...input, ...at, planToken });
      },
    ],
    [
      'a state was rekeyed',
      async (prefix) => {
        const id = await rowOne(prefix);
        const moved = unit({ scopeId: `${prefix}0001`, collector: 'monasca' });
        await does('rekeyScopeState', 'REKEYED', { id, unit: moved, reason: 'x' });
      },
    ],
    [
      'a legacy state was backfilled',
      (prefix) => does('checkScopeState', 'BACKFILLED', { unit: unit({ scopeId: `${prefix}legacy` }) }),
    ],
  ];

  test.each(spoilers)('a plan is stale, and deletes nothing, once %s', async (_, spoil) => {
    const prefix = await insertRows(2);
    await insertLegacy(`${prefix}legacy`);
    const select = { filter: { scopeIdPrefix: prefix } };
    const { planToken } = await remove({ select });
    await spoil(prefix);
    const spoiled = await rows(prefix);
    const refused = await remove({ select, planToken });
    expect(refused).toMatchObject({ outcome: 'PLAN_STALE', matched: spoiled.length, changed: 0 });
    expect(await rows(prefix)).toEqual(spoiled);
    expect(await remove({ select, planToken: refused.planToken })).toMatchObject({
      outcome: 'APPLIED',
      changed: spoiled.length,
    });
  });

  test('checks that find, and queries, leave a plan as it is', async () => {
    const prefix = await insertRows(1);
    const asked = unit({ scopeId: `${prefix}0001` });
    const select = { units: [asked] };
    const { planToken } = await remove({ select });
    await does('checkScopeState', 'FOUND', { unit: asked });
    await api.server.data('query ($unit: CollectionUnitInput!) { scopeState(unit: $unit) { id } }', {
      unit: asked,
    });
    expect(await remove({ select, planToken })).toMatchObject({ outcome: 'APPLIED', changed: 1 });
    // Without a state the unit starts anew.
    const lastProcessedTimestamp = '2025-01-01T00:00:00Z';
    await does('advanceScopeState', 'CREATED', { unit: asked, lastProcessedTimestamp });
  });

  test('units never mean a legacy state; ids and units that are not there are listed', async () => {
    const prefix = await insertRows(1);
    await insertLegacy(`${prefix}legacy`);
    const missing = unit({ scopeId: `${prefix}legacy` });
    const before = await rows(prefix);
    const units = { units: [missing] };
    const plan = await remove({ select: units });
    expect(plan).toMatchObject({ matched: 0, unmatched: [JSON.stringify(missing)] });
    expect(await remove({ select: units, planToken: plan.planToken })).toMatchObject({ changed: 0 });
    expect(await rows(prefix)).toEqual(before);

    const ids = { ids: [nodeId(2_000_000_000), await rowOne(prefix)] };
    const { planToken } = await remove({ select: ids });
    expect(await remove({ select: ids, planToken })).toMatchObject({
      outcome: 'APPLIED',
      changed: 1,
      unmatched: [nodeId(2_000_000_000)],
    });
    expect(await rows(prefix)).toEqual(before.slice(1));
  });

  // What a selector, a reason and a token may be is the same for the three mutations that select.
  const selecting = {
    resetScopeStates: { lastProcessedTimestamp: '2026-01-01T00:00:00Z' },
    setScopeActivation: { active: false },
    deleteScopeStates: {},
  };
  const wrong: [string, string, object][] = [
    ['all: false', 'select.all', { select: { all: false } }],
    ['no selector', 'select', { select: {} }],
    ['all: null', 'select', { select: { all: null } }],
    ['two selectors', 'select', { select: { all: true, ids: [nodeId(1)] } }],
    ['two selectors, one of them null', 'select', { select: { all: true, ids: null } }],
    ['an empty filter', 'select.filter', { select: { filter: {} } }],
    ['a filter of nulls', 'select.filter', { select: { filter: { scopeIds: null, active: null } } }],
    ['a malformed id', 'select.ids[1]', { select: { ids: [nodeId(1), '1'] } }],
    ['1,001 ids', 'select.ids', { select: { ids: Array<string>(1_001).fill(nodeId(1)) } }],
    ['1,001 units', 'select.units', { select: { units: Array<object>(1_001).fill(unit()) } }],
    ['an empty scope id', 'select.filter.scopeIds[0]', { select: { filter: { scopeIds: [''] } } }],
    ['an empty reason', 'reason', { reason: '' }],
    ['a blank reason', 'reason', { reason: ' \n\t ' }],
    ['a reason of 1,001 characters', 'reason', { reason: 'x'.repeat(1_001) }],
    ['an empty token', 'planToken', { planToken: '' }],
    ['a made-up token', 'planToken', { planToken: 'p1-abc-123' }],
  ];
  const names = Object.keys(selecting) as (keyof typeof selecting)[];

  test.each(names.flatMap((name) => wrong.map((row) => [name, ...row] as const)))(
    '%s refuses %s, naming %s',
    async (name, _, field, input) => {
      await insertRows(1);
      const before = await rows('');
      const whole = { ...selecting[name], select: { all: true }, reason: 'x', ...input };
      const { data, errors } = await api.server.ask(text(name), { input: whole });
      expect(data).toBeFalsy();
      expect(new Set(errors?.map(({ extensions }) => extensions.code))).toEqual(new Set(['BAD_USER_INPUT']));
      expect(errors![0]!.message).toContain(field);
      expect(await rows('')).toEqual(before);
    },
  );

  test.each([
    ['all: false', '{ all: false }', 'BAD_USER_INPUT'],
    ['two selectors', '{ all: true, ids: ["x"] }', 'GRAPHQL_VALIDATION_FAILED'],
    ['an empty filter', '{ filter: {} }', 'BAD_USER_INPUT'],
    ['a filter of absent variables', '{ filter: { scopeIds: $ids, active: $active } }', 'BAD_USER_INPUT'],
  ])('%s as a literal is refused', async (_, select, code) => {
    const variables = select.includes('$') ? '($ids: [String!], $active: Boolean)' : '';
    const query = `mutation ${variables} { deleteScopeStates(input: { select: ${select}, reason: "x" }) { outcome } }`;
    for (const given of [{}, { ids: null, active: null }]) {
      expect(await api.server.ask(query, given)).toMatchObject({ errors: [{ extensions: { code } }] });
    }
  });

  test.each(names)('%s takes a reason of 1,000 code points', async (name) => {
    const input = { ...selecting[name], select: { filter: { scopeIds: [] } }, reason: '😀'.repeat(1_000) };
    await does(name, 'PLANNED', input);
  });
});
