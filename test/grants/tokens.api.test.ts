import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openSocket, openStream } from '../access/subscribers.js';
import { Tokens, type MadeToken } from '../access/tokens.js';
import { operations, useStateApi, type Result } from '../support/state-api.js';
import { createTestDatabase } from '../support/test-database.js';
import { unit, type Unit } from '../support/units.js';
import { until } from '../support/until.js';

let tokens: Tokens;
afterAll(() => tokens.close()); // before the end of its database, which the next line brings
const api = useStateApi(() => createTestDatabase(), { SCOPESTATE_AUTH: 'token' });
const [before, now] = ['2026-01-01T00:00:00Z', '2026-01-01T01:00:00Z'];
const own = () => unit({ collector: 'gnocchi' });
const others = () => unit({ collector: 'monasca' });

let gnocchi: MadeToken;
let monasca: MadeToken;
beforeAll(async () => {
  tokens = new Tokens(api.database);
  gnocchi = await tokens.create('gnocchi 1', 'collector', { grants: ['collector=gnocchi'] });
  monasca = await tokens.create('monasca 1', 'collector', { grants: ['collector=monasca'] });
});

async function data({ text }: MadeToken, operation: string, variables: object): Promise<any> {
  const answer = await api.server.ask(operation, { ...variables }, text);
  expect(answer.errors).toBeUndefined();
  return answer.data;
}

const history = () => api.database.query('select h::text from scopestate_history h order by sequence');
const kinds = ['a state', 'a legacy state', 'no state'] as const;

async function give(one: Unit, has: (typeof kinds)[number]): Promise<Unit> {
  if (has === 'a state') await api.insertExact(one, before);
  if (has === 'a legacy state') await api.insertLegacy(one.scopeId, before);
  return one;
}

const forbidden = {
  check: { outcome: 'FORBIDDEN', scopeState: null, nextPeriod: null },
  advance: { outcome: 'FORBIDDEN', backfilled: false, scopeState: null },
  create: { outcome: 'FORBIDDEN', scopeState: null },
};

describe.each(kinds)('another collector’s unit that has %s', (has) => {
  test('alone is FORBIDDEN, and nothing of it is told or written', async () => {
    const hidden = await give(others(), has);
    const known = [await api.rows(), await history()];
    const input = { unit: hidden, lastProcessedTimestamp: now };
    const units = { input: { units: [hidden] } };
    expect(await data(gnocchi, operations.check, { input: { unit: hidden } })).toEqual({
      checkScopeState: forbidden.check,
    });
    expect(await data(gnocchi, operations.advance, { input })).toEqual({
      advanceScopeState: forbidden.advance,
    });
    expect(await data(gnocchi, operations.create, { input })).toEqual({ createScopeState: forbidden.create });
    expect((await data(gnocchi, operations.checkAll, units)).checkScopeStates.results).toEqual([
      forbidden.check,
    ]);
    expect([await api.rows(), await history()]).toEqual(known);
    // It is not the unit that is at fault: its own collector's token does it.
    const { checkScopeState } = await data(monasca, operations.check, { input: { unit: hidden } });
    expect(checkScopeState.outcome).toBe(
      { 'a state': 'FOUND', 'a legacy state': 'BACKFILLED', 'no state': 'UNKNOWN' }[has],
    );
  });

  test('hidden in a batch of 1,000 is the only one that is not done', async () => {
    const place = 617;
    const hidden = await give(others(), has);
    const units = Array.from({ length: 1_000 }, (_, n) => (n === place ? hidden : own()));
    await insertFirst(units.slice(0, 600));
    const hiddenRows = await api.rows(hidden.scopeId);
    const wanted = (first: string, second: string, rest: string) =>
      units.map((_, n) => (n === place ? 'FORBIDDEN' : n < 300 ? first : n < 600 ? second : rest));
    const outcomesOf = (results: Result[]) => results.map(({ outcome }) => outcome);

    const { checkScopeStates } = await data(gnocchi, operations.checkAll, { input: { units } });
    const checked = checkScopeStates.results as Result[];
    expect(outcomesOf(checked)).toEqual(wanted('FOUND', 'BACKFILLED', 'UNKNOWN'));
    expect(checked[place]).toEqual(forbidden.check);
    expect(await statesInDatabase(units)).toEqual(
      units.slice(0, 600).map(({ scopeId }) => ({ scopeId, collector: 'gnocchi', at: before })),
    );

    const advances = units.map((one) => ({ unit: one, lastProcessedTimestamp: now }));
    const { advanceScopeStates } = await data(gnocchi, operations.advanceAll, { input: { advances } });
    const advanced = advanceScopeStates.results as Result[];
    expect(outcomesOf(advanced)).toEqual(wanted('ADVANCED', 'ADVANCED', 'CREATED'));
    expect(advanced[place]).toEqual(forbidden.advance);
    expect(await statesInDatabase(units)).toEqual(
      units
        .filter((one) => one !== hidden)
        .map(({ scopeId }) => ({ scopeId, collector: 'gnocchi', at: now })),
    );

    expect(await api.rows(hidden.scopeId)).toEqual(hiddenRows);
    const byToken = await api.database.query<{ identifier: string }>(
      `select distinct identifier from scopestate_history where actor = 'gnocchi 1' and identifier = any($1::text[])`,
      [units.map(({ scopeId }) => scopeId)],
    );
    expect(new Set(byToken.map(({ identifier }) => identifier))).toEqual(
      new Set(units.filter((one) => one !== hidden).map(({ scopeId }) => scopeId)),
    );
  });
});

/** States for the first 300 of them, legacy ones for the others. */
async function insertFirst(units: Unit[]): Promise<void> {
  await api.database.query(
    `insert into cloudkitty_storage_states (identifier, scope_key, collector, fetcher, last_processed_timestamp)
     select id, case when n <= 300 then 'project_id' end, case when n <= 300 then 'gnocchi' end,
       case when n <= 300 then 'keystone' end, $2::text::timestamp
     from unnest($1::text[]) with ordinality as wanted (id, n)`,
    [units.map(({ scopeId }) => scopeId), before.replace('Z', '')],
  );
}

/** What there is of the scope ids that the token is granted, in the order of the units. */
async function statesInDatabase(units: Unit[]) {
  return api.database.query<{ scopeId: string; collector: string | null; at: string }>(
    `select identifier as "scopeId", s.collector, to_char(last_processed_timestamp, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at
     from unnest($1::text[]) with ordinality as wanted (scope, n)
     join cloudkitty_storage_states s on identifier = scope order by n`,
    [units.filter(({ collector }) => collector === 'gnocchi').map(({ scopeId }) => scopeId)],
  );
}

describe('a tenant’s token', () => {
  test('sees what it is granted, by query, WebSocket and server-sent events, and nothing else', async () => {
    const tenant = await tokens.create('tenant a', 'reader', { grants: ['scopeId=tenant-a-*'] });
    const [mine, theirs] = [own(), own()].map((one, n) => ({
      ...one,
      scopeId: `tenant-${'ab'[n]}-${one.scopeId}`,
    })) as [Unit, Unit];
    const socket = openSocket(api.server.url, { payload: { authorization: `Bearer ${tenant.text}` } });
    await socket.acknowledged;
    const stream = await openStream(api.server.url, tenant.text);
    await stream.begun;
    const advance = (one: Unit, at: string) =>
      data(gnocchi, operations.advance, { input: { unit: one, lastProcessedTimestamp: at } });
    let millis = Date.UTC(2026, 0, 1);
    await until('the socket is told', async () => {
      await advance(theirs, new Date(++millis).toISOString());
      await advance(mine, new Date(millis).toISOString());
      return socket.messages.some(({ type }) => type === 'next');
    });
    expect((await data(tenant, operations.find, { unit: mine })).scopeState.scopeId).toBe(mine.scopeId);
    expect(await data(tenant, operations.find, { unit: theirs })).toEqual({ scopeState: null });
    const { scopeStates } = await data(tenant, operations.page, {});
    expect(scopeStates).toMatchObject({ totalCount: 1, nodes: [{ scopeId: mine.scopeId }] });
    await tokens.revoke(tenant.id); // ends both
    await socket.closed;
    for (const told of [JSON.stringify(socket.messages), await stream.text]) {
      expect(told).toContain(mine.scopeId);
      expect(told).not.toContain(theirs.scopeId);
    }
  });
});
