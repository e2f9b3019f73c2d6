import { describe, expect, test } from '@jest/globals';
import { apiDatabases } from '../support/api-databases.js';
import { randomUUID } from 'node:crypto';
import { useStateApi } from '../support/state-api.js';
import { unit } from '../support/units.js';

describe.each(apiDatabases)('on $name', ({ create }) => {
  const api = useStateApi(create);

  const mutation = /* GraphQL */ `
    mutation ($input: ResetScopeStatesInput!) {
      resetScopeStates(input: $input) {
        outcome
        matched
        changed
        advancedSincePlan
        planToken
        unmatched
        sample {
          id
          scopeId
          legacy
          active
          lastProcessedTimestamp
        }
      }
    }
  `;
  const T = '2026-01-15T12:00:00.000001Z';
  const wanted = { lastProcessedTimestamp: T, reason: 'prices were wrong' };

  type Payload = { sample: { id: string }[]; planToken: string } & Record<string, unknown>;

  async function reset(input: Record<string, unknown>): Promise<Payload> {
    return (await api.server.data(mutation, { input: { ...wanted, ...input } })).resetScopeStates;
  }

  /** Rows 0001, 0002, … of a new prefix; each fifth is inactive, and their states lie on both sides of T. */
  async function insertRows(count: number): Promise<string> {
    const prefix = `${randomUUID()}/`;
    await api.database.query(
      `insert into cloudkitty_storage_states
       (identifier, scope_key, collector, fetcher, last_processed_timestamp, active)
     select $1 || lpad(n::text, 4, '0'), 'project_id', 'gnocchi', 'keystone',
       timestamp '2026-01-01' + n % 30 * interval '1 day', n % 5 <> 0
     from generate_series(1, $2::int) n`,
      [prefix, count],
    );
    return prefix;
  }

  function rows(
    prefix: string,
  ): Promise<{ id: number; row: string; xmin: string; at: string; rest: string }[]> {
    return api.database.query(
      `select id, s::text as row, xmin::text, to_char(last_processed_timestamp, 'YYYY-MM-DD HH24:MI:SS.US') as at,
       (to_jsonb(s) - '{last_processed_timestamp,last_processed_day,moved_by_operator,version,revision,updated_at}'::text[])::text as rest
     from cloudkitty_storage_states s where starts_with(identifier, $1) order by identifier, id`,
      [prefix],
    );
  }

  const nodeId = (row: number) => Buffer.from(`ScopeState:${row}`).toString('base64url');

  async function idsOf(prefix: string): Promise<string[]> {
    return (await rows(prefix)).map(({ id }) => nodeId(id));
  }

  test('a dry run tells what a reset touches and changes nothing; its token then resets all, inactive ones too', async () => {
    const prefix = await insertRows(250);
    const select = { filter: { scopeIdPrefix: prefix } };
    const before = await rows(prefix);

    const plan = await reset({ select });
    expect(plan).toMatchObject({ outcome: 'PLANNED', matched: 250, changed: 0, unmatched: [] });
    expect(plan['advancedSincePlan']).toBe(0);
    expect(plan.sample.map(({ id }) => id)).toEqual((await idsOf(prefix)).slice(0, 20));
    expect(plan.sample[0]).toMatchObject({ lastProcessedTimestamp: '2026-01-02T00:00:00Z' });
    expect(await rows(prefix)).toEqual(before);

    const applied = await reset({ select, planToken: plan.planToken });
    expect(applied).toMatchObject({ outcome: 'APPLIED', matched: 250, changed: 250, advancedSincePlan: 0 });
    expect(applied.sample).toEqual(plan.sample.map((state) => ({ ...state, lastProcessedTimestamp: T })));
    const after = await rows(prefix);
    expect(new Set(after.map(({ at }) => at))).toEqual(new Set(['2026-01-15 12:00:00.000001']));
    // The state only: unit, activity, toggle date and last advance are as they were.
    expect(after.map(({ rest }) => rest)).toEqual(before.map(({ rest }) => rest));

    const again = await reset({ select, planToken: plan.planToken });
    expect(again).toMatchObject({ outcome: 'PLAN_STALE', matched: 250, changed: 0 });
    expect(await rows(prefix)).toEqual(after);
  });

  const mutations = {
    setScopeActivation: 'SetScopeActivationInput',
    rekeyScopeState: 'RekeyScopeStateInput',
    checkScopeState: 'CheckScopeStateInput',
    advanceScopeState: 'AdvanceScopeStateInput',
  };

  async function does(name: keyof typeof mutations, outcome: string, input: object) {
    const text = `mutation ($input: ${mutations[name]}!) { ${name}(input: $input) { outcome } }`;
    expect((await api.server.data(text, { input }))[name].outcome).toBe(outcome);
  }

  const table = 'cloudkitty_storage_states';
  /** A statement of somebody else's; $1 is the first row's scope id. */
  const foreign = (text: string) => (prefix: string) => api.database.query(text, [`${prefix}0001`]);
  const setFirst = (columns: string) => foreign(`update ${table} set ${columns} where identifier = $1`);
  const insertLegacy = foreign(`insert into ${table} (identifier, last_processed_timestamp)
                              values ($1 || '/legacy', '2026-01-01')`);
  const legacyUnit = (prefix: string) => unit({ scopeId: `${prefix}0001/legacy` });
  const selectFirst = async (prefix: string) => ({ ids: (await idsOf(prefix)).slice(0, 1) });

  const spoilers: [string, (prefix: string) => Promise<unknown>][] = [
    ['a row came', insertLegacy],
    ['a row went', foreign(`delete from ${table} where identifier = $1`)],
    [
      'one row went and another came',
      foreign(`with gone as (delete from ${table} where identifier = $1 returning *)
             insert into ${table} (identifier, last_processed_timestamp)
             select identifier, last_processed_timestamp from gone`),
    ],
    [
      'another reset, to the same instant, was first',
      async (prefix) => {
        const select = await selectFirst(prefix);
        await reset({ select, planToken: (await reset({ select })).planToken });
      },
    ],
    [
      'a scope was switched off',
      async (prefix) => {
        const select = await selectFirst(prefix);
        await does('setScopeActivation', 'APPLIED', { select, active: false, reason: 'x' });
      },
    ],
    [
      'a state was rekeyed',
      async (prefix) => {
        const [id] = await idsOf(prefix);
        const moved = unit({ scopeId: `${prefix}0001`, collector: 'monasca' });
        await does('rekeyScopeState', 'REKEYED', { id, unit: moved, reason: 'x' });
      },
    ],
    [
      'a legacy state was backfilled',
      (prefix) => does('checkScopeState', 'BACKFILLED', { unit: legacyUnit(prefix) }),
    ],
    ['a foreign writer set another column', setFirst(`fetcher = 'source'`)],
    ['a foreign writer switched a scope off', setFirst('active = false')],
    ['a foreign writer set a state back', setFirst(`last_processed_timestamp = '2025-01-01'`)],
    [
      'a foreign writer advanced a state and set another column too',
      setFirst(`last_processed_timestamp = '2026-03-01', collector = 'x'`),
    ],
  ];

  test.each(spoilers)('a plan is stale, and changes nothing, once %s', async (what, spoil) => {
    const prefix = await insertRows(3);
    if (what.startsWith('a legacy')) await insertLegacy(prefix);
    const select = { filter: { scopeIdPrefix: prefix } };
    const { planToken } = await reset({ select });
    await spoil(prefix);
    const spoiled = await rows(prefix);

    const refused = await reset({ select, planToken });
    expect(refused).toMatchObject({ outcome: 'PLAN_STALE', matched: spoiled.length, changed: 0 });
    expect(await rows(prefix)).toEqual(spoiled);
    // What it answered instead is a plan of what is there now.
    expect(await reset({ select, planToken: refused.planToken })).toMatchObject({
      outcome: 'APPLIED',
      changed: spoiled.length,
    });
  });

  test('advances do not spoil a plan, and are counted by state; checks that find do not either', async () => {
    const prefix = await insertRows(4);
    const select = { filter: { scopeIdPrefix: prefix } };
    await reset({ select, planToken: (await reset({ select })).planToken });
    const { planToken } = await reset({ select });
    const check = (n: string) => does('checkScopeState', 'FOUND', { unit: unit({ scopeId: prefix + n }) });
    const advance = (n: string, to: string) =>
      does('advanceScopeState', 'ADVANCED', {
        unit: unit({ scopeId: prefix + n }),
        lastProcessedTimestamp: to,
      });
    await check('0001'); // the first after a reset: it acknowledges the reset
    await check('0001');
    await check('0002');
    await advance('0002', '2026-02-01T00:00:00Z');
    await advance('0002', '2026-02-02T00:00:00Z');
    await setFirst(`last_processed_timestamp = '2026-03-01'`)(prefix);
    expect(await reset({ select, planToken })).toMatchObject({
      outcome: 'APPLIED',
      matched: 4,
      changed: 4,
      advancedSincePlan: 2,
    });
    expect(new Set((await rows(prefix)).map(({ at }) => at))).toEqual(
      new Set(['2026-01-15 12:00:00.000001']),
    );
  });

  test('a token is stale for another instant, another selection and another mutation', async () => {
    const prefix = await insertRows(3);
    const ids = await idsOf(prefix);
    const select = { filter: { scopeIdPrefix: prefix } };
    const { planToken } = await reset({ select });
    const before = await rows(prefix);

    const stale = { outcome: 'PLAN_STALE', changed: 0 };
    expect(
      await reset({ select, planToken, lastProcessedTimestamp: '2026-01-15T12:00:00.000002Z' }),
    ).toMatchObject(stale);
    expect(await reset({ select: { ids: ids.slice(1) }, planToken })).toMatchObject({ ...stale, matched: 2 });
    await does('setScopeActivation', 'PLAN_STALE', { select, active: false, reason: 'x', planToken });
    const deletion =
      'mutation ($input: DeleteScopeStatesInput!) { deleteScopeStates(input: $input) { outcome } }';
    const { deleteScopeStates } = await api.server.data(deletion, {
      input: { select, reason: 'x', planToken },
    });
    expect(deleteScopeStates.outcome).toBe('PLAN_STALE');
    expect(await rows(prefix)).toEqual(before);
  });

  test('an instant in the future is refused, with a plan and without one; a malformed one is too', async () => {
    const prefix = await insertRows(2);
    const select = { filter: { scopeIdPrefix: prefix } };
    const lastProcessedTimestamp = '2999-01-01T00:00:00Z';
    const before = await rows(prefix);
    const { planToken, ...dryRun } = await reset({ select, lastProcessedTimestamp });
    expect(dryRun).toMatchObject({ outcome: 'IN_FUTURE', matched: 2, changed: 0 });
    expect(await reset({ select, lastProcessedTimestamp, planToken })).toMatchObject({
      outcome: 'IN_FUTURE',
      changed: 0,
    });
    const malformed = { ...wanted, select, lastProcessedTimestamp: '2026-01-15' };
    expect(await api.server.ask(mutation, { input: malformed })).toMatchObject({
      errors: [
        {
          message: expect.stringContaining('input.lastProcessedTimestamp'),
          extensions: { code: 'BAD_USER_INPUT' },
        },
      ],
    });
    expect(await rows(prefix)).toEqual(before);
  });

  test('ids and units that are not there are listed; units are never a legacy state, nor backfill it', async () => {
    const prefix = await insertRows(2);
    await insertLegacy(prefix);
    const before = await rows(prefix);
    const [one, two] = await idsOf(prefix);
    const gone = nodeId(2_000_000_000);
    expect(await reset({ select: { ids: [two, gone, one, two] } })).toMatchObject({
      matched: 2,
      unmatched: [gone],
    });

    const there = unit({ scopeId: `${prefix}0002` });
    const select = { units: [legacyUnit(prefix), there, { ...there, collector: 'monasca' }] };
    const unmatched = [select.units[0], select.units[2]].map((missing) => JSON.stringify(missing));
    const plan = await reset({ select });
    expect(plan).toMatchObject({ outcome: 'PLANNED', matched: 1, unmatched });
    expect(await rows(prefix)).toEqual(before);
    expect(await reset({ select, planToken: plan.planToken })).toMatchObject({
      outcome: 'APPLIED',
      changed: 1,
      unmatched,
    });
    const after = await rows(prefix);
    expect(after.map(({ row }, place) => row === before[place]!.row)).toEqual([true, true, false]);
    expect(after.map(({ rest }) => rest)).toEqual(before.map(({ rest }) => rest));
  });

  test('all selects every row there is; a legacy state that is reset stays legacy', async () => {
    await insertLegacy(await insertRows(1));
    const select = { all: true };
    const [total] = await api.database.query<{ rows: number }>(`select count(*)::int as rows from ${table}`);
    const { planToken, ...plan } = await reset({ select });
    expect(plan).toMatchObject({ outcome: 'PLANNED', matched: total!.rows });
    expect(await reset({ select, planToken })).toMatchObject({ outcome: 'APPLIED', changed: total!.rows });
    const others = `select from ${table} where last_processed_timestamp <> '2026-01-15 12:00:00.000001'`;
    expect(await api.database.query(others)).toEqual([]);
    const legacy = await reset({ select: { filter: { legacy: true } } });
    expect(legacy.sample).toContainEqual(
      expect.objectContaining({ legacy: true, lastProcessedTimestamp: T }),
    );
  });
});
