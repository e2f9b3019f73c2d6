import { describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { apiDatabases } from '../support/api-databases.js';
import { unit } from '../support/units.js';
import { useHistoryApi } from './history-api.js';

describe.each(apiDatabases)('on $name', ({ create }) => {
  const history = useHistoryApi(create);
  const api = history.states;
  const at = (day: number) => `2026-01-0${day}T00:00:00Z`;

  test('an advance that makes a state and one that moves it leave one entry each', async () => {
    const asked = unit();
    const { scopeState: made } = await api.advance({ unit: asked, lastProcessedTimestamp: at(1) });
    const { scopeState: moved } = await api.advance({ unit: asked, lastProcessedTimestamp: at(2) });
    expect(await history.ofState(made.id)).toMatchObject([
      { kind: 'ADVANCED', before: made, after: moved, changedAt: moved.updatedAt },
      { kind: 'CREATED', before: null, after: made, changedAt: made.updatedAt },
    ]);
  });

  test('an entry says who, why, in which request, and of which unit', async () => {
    const asked = unit();
    const response = await fetch(api.server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'request-of-the-test' },
      body: JSON.stringify({
        query:
          'mutation ($input: AdvanceScopeStateInput!) { advanceScopeState(input: $input) { scopeState { id } } }',
        variables: { input: { unit: asked, lastProcessedTimestamp: at(1) } },
      }),
    });
    const { data } = (await response.json()) as any;
    const [change] = await history.ofState(data.advanceScopeState.scopeState.id);
    expect(change).toMatchObject({
      ...asked,
      stateId: data.advanceScopeState.scopeState.id,
      actor: 'anonymous',
      reason: null,
      requestId: 'request-of-the-test',
    });
    expect(await history.node(change.id)).toEqual(change);
  });

  test('a backfill is one entry, with the unit before it; an advance that backfills too', async () => {
    const [one, other] = [unit(), unit()];
    await api.insertLegacy(one.scopeId, at(1));
    await api.insertLegacy(other.scopeId, at(1));
    const { scopeState } = await api.check(one);
    await api.advance({ unit: other, lastProcessedTimestamp: at(2) });
    const legacy = { scopeKey: null, collector: null, fetcher: null, legacy: true };
    expect((await history.ofState(scopeState.id))[0]).toMatchObject({
      kind: 'BACKFILLED',
      before: { ...legacy, version: 1, lastProcessedTimestamp: at(1) },
      after: { ...one, version: 2, lastProcessedTimestamp: at(1) },
    });
    expect((await history.changes({ units: [other] })).nodes[0]).toMatchObject({
      kind: 'BACKFILLED',
      before: { ...legacy, lastProcessedTimestamp: at(1) },
      after: { ...other, lastProcessedTimestamp: at(2), version: 2 },
    });
  });

  test('whatever changes nothing leaves no entry', async () => {
    const asked = unit();
    await api.advance({ unit: asked, lastProcessedTimestamp: at(3) });
    const { scopeState } = await api.check(asked);
    for (const more of [{}, { expected: at(1) }]) {
      await api.advance({ unit: asked, lastProcessedTimestamp: at(2), ...more });
    }
    await api.advance({ unit: asked, lastProcessedTimestamp: at(3) });
    await api.advance({ unit: asked, lastProcessedTimestamp: '9000-01-01T00:00:00Z' });
    await api.create({ unit: asked, lastProcessedTimestamp: at(1) });
    await history.run('reset', { select: { ids: [scopeState.id] }, lastProcessedTimestamp: at(1) });
    await history.run('activate', { select: { ids: [scopeState.id] }, active: true });
    expect(await history.kindsOf(asked.scopeId)).toEqual(['CREATED']);
  });

  test('that a check acknowledges a reset is no change', async () => {
    const asked = unit();
    const { scopeState } = await api.advance({ unit: asked, lastProcessedTimestamp: at(3) });
    await api.reset(scopeState.id, at(1));
    await api.check(asked);
    expect(await history.kindsOf(asked.scopeId)).toEqual(['CREATED', 'RESET']);
  });

  test('a batch leaves an entry for each state that it changed', async () => {
    const [one, other] = [unit(), unit()];
    await api.advanceAll(
      [1, 2].flatMap((day) =>
        [one, other].map((asked) => ({ unit: asked, lastProcessedTimestamp: at(day) })),
      ),
    );
    for (const asked of [one, other]) {
      expect((await history.changes({ units: [asked] })).nodes).toMatchObject([
        { kind: 'CREATED', after: { version: 2, lastProcessedTimestamp: at(2) } },
      ]);
    }
  });

  test('what operators do has its kind and its reason', async () => {
    const asked = unit();
    const elsewhere = unit({ scopeId: asked.scopeId, collector: 'monasca' });
    const { scopeState } = await api.create({ unit: asked, lastProcessedTimestamp: at(3) });
    const select = { ids: [scopeState.id] };
    await history.apply('reset', { select, lastProcessedTimestamp: at(2), reason: 'rated wrongly' });
    await history.run('activate', { select, active: false, reason: 'did not pay' });
    await history.run('activate', { select, active: true, reason: 'has paid' });
    await api.server.data(
      'mutation ($input: RekeyScopeStateInput!) { rekeyScopeState(input: $input) { outcome } }',
      { input: { id: scopeState.id, unit: elsewhere, reason: 'renamed' } },
    );
    const state = await api.node(scopeState.id);
    await history.apply('delete', { select, reason: 'has left' });
    const nodes: any[] = (await history.changes({ scopeIds: [asked.scopeId] })).nodes;
    expect(nodes).toMatchObject([
      { kind: 'DELETED', reason: 'has left', before: state, after: null, collector: 'monasca' },
      { kind: 'REKEYED', reason: 'renamed', before: asked, after: elsewhere },
      { kind: 'ACTIVATED', reason: 'has paid', before: { active: false }, after: { active: true } },
      { kind: 'DEACTIVATED', reason: 'did not pay', before: { active: true }, after: { active: false } },
      { kind: 'RESET', reason: 'rated wrongly', after: { lastProcessedTimestamp: at(2) } },
      { kind: 'CREATED', reason: null },
    ]);
    expect(nodes.map(({ before }: any) => before?.version ?? 0)).toEqual([5, 4, 3, 2, 1, 0]);
    // The toggle date that the state had before it was switched off.
    expect(nodes[3].before.scopeActivationToggleDate).toBe(scopeState.scopeActivationToggleDate);
  });

  test('a page is the newest first, and says truly what surrounds it', async () => {
    const asked = unit();
    for (const day of [1, 2, 3, 4, 5]) await api.advance({ unit: asked, lastProcessedTimestamp: at(day) });
    const filter = { scopeIds: [asked.scopeId] };
    const all: any[] = (await history.changes(filter)).nodes;
    const pages: any[] = [];
    for (let after: string | undefined; ; after = pages.at(-1).pageInfo.endCursor) {
      pages.push(await history.changes(filter, 2, after));
      if (!pages.at(-1).pageInfo.hasNextPage) break;
    }
    expect(pages.flatMap(({ nodes }) => nodes)).toEqual(all);
    expect(all.map(({ after }: any) => after.lastProcessedTimestamp)).toEqual([5, 4, 3, 2, 1].map(at));
    expect(pages.map(({ pageInfo }) => pageInfo.hasPreviousPage)).toEqual([false, true, true]);
  });

  test('every field of the filter narrows', async () => {
    const [one, other] = [unit(), unit({ collector: randomUUID() })];
    for (const asked of [one, other]) {
      for (const day of [1, 2]) await api.advance({ unit: asked, lastProcessedTimestamp: at(day) });
    }
    const both = { scopeIds: [one.scopeId, other.scopeId] };
    const countOf = async (filter: object) =>
      (await history.changes({ ...both, ...filter })).nodes.length as number;
    const [last] = (await history.changes(both)).nodes;
    expect({
      all: await countOf({}),
      units: await countOf({ units: [one] }),
      otherUnit: await countOf({ units: [{ ...one, fetcher: 'another' }] }),
      collectors: await countOf({ collectors: [other.collector] }),
      kinds: await countOf({ kinds: ['CREATED'] }),
      advances: await countOf({ kinds: ['ADVANCED', 'RESET'] }),
      actors: await countOf({ actors: ['anonymous'] }),
      noActor: await countOf({ actors: ['nobody'] }),
      none: await countOf({ kinds: [] }),
      since: await countOf({ since: last.changedAt }),
      until: await countOf({ until: last.changedAt }),
    }).toEqual({
      all: 4,
      units: 2,
      otherUnit: 0,
      collectors: 2,
      kinds: 2,
      advances: 2,
      actors: 4,
      noActor: 0,
      none: 0,
      since: 1,
      until: 3,
    });
  });

  test('null does not filter, and an empty list of any field matches nothing', async () => {
    const asked = unit();
    await api.advance({ unit: asked, lastProcessedTimestamp: at(1) });
    const fields = ['units', 'scopeIds', 'collectors', 'kinds', 'actors'];
    const nothing = Object.fromEntries([...fields, 'since', 'until'].map((field) => [field, null]));
    const countOf = async (filter: object) => (await history.changes({ ...nothing, ...filter })).nodes.length;
    expect(await countOf({ units: [asked] })).toBe(1);
    for (const field of fields) {
      expect([field, await countOf({ scopeIds: [asked.scopeId], [field]: [] })]).toEqual([field, 0]);
      expect([field, await countOf({ [field]: [] })]).toEqual([field, 0]);
    }
    expect((await history.changes(nothing)).nodes).toEqual((await history.changes({})).nodes);
  });

  test('a change that moved a state is one of both units, and of no mixture of them', async () => {
    const [from, to] = [unit(), unit({ collector: randomUUID(), fetcher: 'source' })];
    const { scopeState } = await api.create({ unit: from, lastProcessedTimestamp: at(1) });
    await api.server.data(
      'mutation ($input: RekeyScopeStateInput!) { rekeyScopeState(input: $input) { outcome } }',
      { input: { id: scopeState.id, unit: to, reason: 'moved' } },
    );
    const kindsOf = async (filter: Record<string, unknown>): Promise<string[]> =>
      ((await history.changes(filter)).nodes as { kind: string }[]).map(({ kind }) => kind);
    expect(await kindsOf({ units: [from] })).toEqual(['REKEYED', 'CREATED']);
    expect(await kindsOf({ units: [to] })).toEqual(['REKEYED']);
    expect(
      await kindsOf({
        units: [
          { ...from, fetcher: to.fetcher },
          { ...to, fetcher: from.fetcher },
        ],
      }),
    ).toEqual([]);
    expect(await kindsOf({ scopeIds: [from.scopeId], collectors: [to.collector] })).toEqual([]);
    expect(await kindsOf({ scopeIds: [to.scopeId], collectors: [to.collector] })).toEqual(['REKEYED']);
    expect(await kindsOf({ units: [from], collectors: [from.collector] })).toEqual(['REKEYED', 'CREATED']);
    expect(await kindsOf({ collectors: [to.collector] })).toEqual(['REKEYED']);
    expect(await kindsOf({ scopeIds: [to.scopeId], kinds: ['CREATED'] })).toEqual([]);
  });

  test.each([
    ['filter.scopeIds[0]', { filter: { scopeIds: [''] } }],
    ['filter.units[0].collector', { filter: { units: [unit({ collector: '' })] } }],
    ['filter.actors', { filter: { actors: Array<string>(1_001).fill('a') } }],
    ['filter.collectors[0]', { filter: { collectors: ['a\u0000'] } }],
    ['first', { first: 0 }],
    ['first', { first: 1_001 }],
    ['after', { after: 'made up' }],
    ['after', { after: Buffer.from('0').toString('base64url') }],
  ])('a bad %s is refused by its name', async (field, variables) => {
    const { errors } = await api.server.ask(
      `query ($filter: ScopeStateChangeFilter, $first: Int, $after: String) {
         scopeStateChanges(filter: $filter, first: $first, after: $after) { nodes { id } }
       }`,
      variables,
    );
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }]);
  });
});
