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
    mutation ($input: SetScopeActivationInput!) {
      setScopeActivation(input: $input) {
        outcome
        matched
        changed
        planToken
        unmatched
        sample {
          id
          active
          scopeActivationToggleDate
          lastProcessedTimestamp
          version
        }
      }
    }
  `;

  type Payload = { sample: { id: string }[]; planToken: string } & Record<string, unknown>;

  async function activate(input: Record<string, unknown>): Promise<Payload> {
    return (await api.server.data(mutation, { input: { reason: 'unpaid bills', active: false, ...input } }))
      .setScopeActivation;
  }

  /** Rows 0001, 0002, … of a new prefix, toggled long ago; each fifth is inactive. */
  async function insertRows(count: number): Promise<string> {
    const prefix = `${randomUUID()}/`;
    await api.database.query(
      `insert into ${table} (identifier, scope_key, collector, fetcher, last_processed_timestamp, active,
       scope_activation_toggle_date)
     select $1 || lpad(n::text, 4, '0'), 'project_id', 'gnocchi', 'keystone', '2026-01-01', n % 5 <> 0, '2025-01-01'
     from generate_series(1, $2::int) n`,
      [prefix, count],
    );
    return prefix;
  }

  interface Row {
    id: number;
    row: string;
    xmin: string;
    active: boolean;
    at: string;
    toggled: string;
    rest: string;
  }

  function rows(prefix: string): Promise<Row[]> {
    return api.database.query(
      `select id, s::text as row, xmin::text, active,
       to_char(last_processed_timestamp, 'YYYY-MM-DD HH24:MI:SS.US') as at,
       to_char(scope_activation_toggle_date, 'YYYY-MM-DD HH24:MI:SS.US') as toggled,
       (to_jsonb(s) - '{active,scope_activation_toggle_date,version,revision,updated_at}'::text[])::text as rest
     from ${table} s where starts_with(identifier, $1) order by identifier, id`,
      [prefix],
    );
  }

  const idsOf = async (prefix: string) => (await rows(prefix)).map(({ id }) => nodeId(id));
  const longAgo = '2025-01-01 00:00:00.000000';

  async function advance(scopeId: string, lastProcessedTimestamp: string) {
    const { advanceScopeState } = await api.server.data(
      'mutation ($input: AdvanceScopeStateInput!) { advanceScopeState(input: $input) { outcome scopeState { version } } }',
      { input: { unit: unit({ scopeId }), lastProcessedTimestamp } },
    );
    return advanceScopeState;
  }

  test('by ids scopes are switched at once, and the toggle date changes only where the flag does', async () => {
    const prefix = await insertRows(6);
    const ids = await idsOf(prefix);
    const before = await rows(prefix);
    const [clock] = await api.database.query<{ now: string }>(
      `select to_char(timezone('utc', clock_timestamp()), 'YYYY-MM-DD HH24:MI:SS.US') as now`,
    );

    const off = await activate({ select: { ids: [...ids.slice(0, 5), ids[0]] } });
    expect(off).toMatchObject({ outcome: 'APPLIED', matched: 5, changed: 4, planToken: null, unmatched: [] });
    const after = await rows(prefix);
    expect(after.map(({ active }) => active)).toEqual([false, false, false, false, false, true]);
    expect(after.map(({ toggled }) => toggled >= clock!.now)).toEqual([true, true, true, true, false, false]);
    // The one that was off already, and the one not asked for, were not even written.
    expect(after.slice(4)).toEqual(before.slice(4));
    // Nothing but the flag and its date: the state and its unit are kept.
    expect(after.map(({ rest }) => rest)).toEqual(before.map(({ rest }) => rest));

    expect(await activate({ select: { ids } })).toMatchObject({ matched: 6, changed: 1 });
    const allOff = await rows(prefix);
    expect(allOff.slice(0, 5)).toEqual(after.slice(0, 5));
    expect(await activate({ select: { ids }, active: true })).toMatchObject({ matched: 6, changed: 6 });
    expect((await rows(prefix)).map(({ active }) => active)).toEqual(Array(6).fill(true));
  });

  test('an inactive scope keeps its state and refuses advances until it is switched on again', async () => {
    const prefix = await insertRows(1);
    const scopeId = `${prefix}0001`;
    const select = { units: [unit({ scopeId })] };
    const off = await activate({ select });
    expect(off.sample).toMatchObject([
      { active: false, lastProcessedTimestamp: '2026-01-01T00:00:00Z', version: 2 },
    ]);
    expect(await advance(scopeId, '2026-01-02T00:00:00Z')).toEqual({
      outcome: 'INACTIVE',
      scopeState: { version: 2 },
    });
    await activate({ select, active: true });
    expect(await advance(scopeId, '2026-01-02T00:00:00Z')).toEqual({
      outcome: 'ADVANCED',
      scopeState: { version: 4 },
    });
  });

  test('by filter it is planned: a dry run changes nothing, its token switches all, a second click nothing', async () => {
    const prefix = await insertRows(25);
    const select = { filter: { scopeIdPrefix: prefix } };
    const before = await rows(prefix);
    const plan = await activate({ select });
    expect(plan).toMatchObject({ outcome: 'PLANNED', matched: 25, changed: 0 });
    expect(plan.sample.map(({ id }) => id)).toEqual((await idsOf(prefix)).slice(0, 20));
    expect(await rows(prefix)).toEqual(before);

    const applied = await activate({ select, planToken: plan.planToken });
    expect(applied).toMatchObject({ outcome: 'APPLIED', matched: 25, changed: 20 });
    const after = await rows(prefix);
    expect(after.map(({ active }) => active)).toEqual(Array(25).fill(false));
    expect(after.filter(({ toggled }) => toggled === longAgo)).toHaveLength(5);

    expect(await activate({ select, planToken: plan.planToken })).toMatchObject({
      outcome: 'PLAN_STALE',
      matched: 25,
      changed: 0,
    });
    expect(await rows(prefix)).toEqual(after);
  });

  const setFirst = (columns: string) => (prefix: string) =>
    api.database.query(`update ${table} set ${columns} where identifier = $1`, [`${prefix}0001`]);

  test.each<[string, (prefix: string) => Promise<unknown>]>([
    [
      'a row came',
      (prefix) =>
        api.database.query(
          `insert into ${table} (identifier, last_processed_timestamp) values ($1, '2026-01-01')`,
          [`${prefix}legacy`],
        ),
    ],
    [
      'a row went',
      (prefix) => api.database.query(`delete from ${table} where identifier = $1`, [`${prefix}0001`]),
    ],
    [
      'one of its scopes was switched by hand',
      async (prefix) => activate({ select: { ids: (await idsOf(prefix)).slice(0, 1) } }),
    ],
    [
      'one of its scopes was switched off and on again',
      async (prefix) => {
        const select = { ids: (await idsOf(prefix)).slice(0, 1) };
        await activate({ select });
        await activate({ select, active: true });
      },
    ],
    ['a foreign writer set a state back', setFirst(`last_processed_timestamp = '2025-01-01'`)],
    ['a foreign writer set another column', setFirst(`collector = 'monasca'`)],
  ])('a plan is stale, and switches nothing, once %s', async (_, spoil) => {
    const prefix = await insertRows(3);
    const select = { filter: { scopeIdPrefix: prefix } };
    const { planToken } = await activate({ select });
    await spoil(prefix);
    const spoiled = await rows(prefix);
    const refused = await activate({ select, planToken });
    expect(refused).toMatchObject({ outcome: 'PLAN_STALE', matched: spoiled.length, changed: 0 });
    expect(await rows(prefix)).toEqual(spoiled);
    expect(await activate({ select, planToken: refused.planToken })).toMatchObject({ outcome: 'APPLIED' });
  });

  test('a plan outlives advances, and is stale for the other flag', async () => {
    const prefix = await insertRows(3);
    const select = { filter: { scopeIdPrefix: prefix, active: true } };
    const { planToken } = await activate({ select });
    await advance(`${prefix}0002`, '2026-02-01T00:00:00Z');
    expect(await activate({ select, planToken, active: true })).toMatchObject({ outcome: 'PLAN_STALE' });
    expect(await activate({ select, planToken })).toMatchObject({ outcome: 'APPLIED', changed: 3 });
    // The advanced state stays where it is.
    expect((await rows(prefix))[1]!.at).toBe('2026-02-01 00:00:00.000000');
  });

  test('units never mean a legacy state; what is not there is listed, and switches the others all the same', async () => {
    const prefix = await insertRows(1);
    const legacy = `${prefix}legacy`;
    await api.database.query(
      `insert into ${table} (identifier, last_processed_timestamp) values ($1, '2026-01-01')`,
      [legacy],
    );
    const before = await rows(prefix);
    const missing = unit({ scopeId: legacy });
    const units = [missing, unit({ scopeId: `${prefix}0001` })];
    expect(await activate({ select: { units } })).toMatchObject({
      outcome: 'APPLIED',
      matched: 1,
      changed: 1,
      unmatched: [JSON.stringify(missing)],
    });
    expect((await rows(prefix))[1]).toEqual(before[1]);
    const gone = nodeId(2_000_000_000);
    expect(await activate({ select: { ids: [gone] } })).toMatchObject({
      outcome: 'APPLIED',
      matched: 0,
      changed: 0,
      unmatched: [gone],
    });
  });

  test('a token with ids or units is refused: there is no plan of these', async () => {
    const prefix = await insertRows(1);
    const { planToken } = await activate({ select: { filter: { scopeIdPrefix: prefix } } });
    for (const select of [{ ids: await idsOf(prefix) }, { units: [unit({ scopeId: `${prefix}0001` })] }]) {
      const input = { select, active: false, reason: 'x', planToken };
      expect(await api.server.ask(mutation, { input })).toMatchObject({
        errors: [{ extensions: { code: 'BAD_USER_INPUT', field: 'input.planToken' } }],
      });
    }
    expect((await rows(prefix))[0]).toMatchObject({ active: true, toggled: longAgo });
  });

  test('all switches every row there is', async () => {
    const { planToken, matched } = await activate({ select: { all: true } });
    expect(matched).toBeGreaterThan(0);
    expect(await activate({ select: { all: true }, planToken })).toMatchObject({
      outcome: 'APPLIED',
      matched,
    });
    expect((await rows('')).filter(({ active }) => active)).toEqual([]);
  });

  // The three mutations that select agree on it.
  const selecting = {
    resetScopeStates: ['ResetScopeStatesInput', { lastProcessedTimestamp: '2026-01-01T00:00:00Z' }],
    setScopeActivation: ['SetScopeActivationInput', { active: false }],
    deleteScopeStates: ['DeleteScopeStatesInput', {}],
  } as const;
  const nothing = {
    'a filter': { filter: { scopeIdPrefix: `${randomUUID()}/` } },
    'an empty list in a filter': { filter: { scopeIds: [] } },
    'no ids': { ids: [] },
    'no units': { units: [] },
    'a unit without a state': { units: [unit()] },
  };
  const cases = Object.entries(selecting).flatMap(([name, [type, more]]) =>
    Object.entries(nothing).map(([what, select]) => ({ name, type, more, what, select })),
  );

  test.each(cases)('$name of $what is 0, not an error', async ({ name, type, more, select }) => {
    const query = `mutation ($input: ${type}!) { ${name}(input: $input) { outcome matched changed planToken } }`;
    const input = { ...more, select, reason: 'x' };
    const plan = (await api.server.data(query, { input }))[name];
    expect(plan).toMatchObject({ matched: 0, changed: 0 });
    const again = (await api.server.data(query, { input: { ...input, planToken: plan.planToken } }))[name];
    expect(again).toMatchObject({ outcome: 'APPLIED', matched: 0, changed: 0 });
  });
});
