import { describe, expect, test } from '@jest/globals';
import { apiDatabases } from '../support/api-databases.js';
import { operations, useStateApi } from '../support/state-api.js';
import { unit, type Unit } from '../support/units.js';

const at = '2026-01-01T00:00:00.000001Z';

/** A period that nobody here is waiting for any more, by the server's defaults: PT1H and 2 wait periods. */
const afterAt = { start: '2026-01-01T01:00:00.000001Z', end: '2026-01-01T02:00:00.000001Z' };

describe.each(apiDatabases)('on $name', ({ create }) => {
  const api = useStateApi(create);

  test('a legacy row becomes the state of the unit that is checked first, with its id and timestamp', async () => {
    const asked = unit();
    await api.insertLegacy(asked.scopeId, at);
    const before = await api.find(asked);
    expect(before).toMatchObject({
      legacy: true,
      version: 1,
      scopeKey: null,
      collector: null,
      fetcher: null,
    });

    const first = await api.check(asked);
    expect(first).toMatchObject({
      outcome: 'BACKFILLED',
      scopeState: { ...asked, id: before.id, legacy: false, version: 2, lastProcessedTimestamp: at },
      nextPeriod: afterAt,
    });
    expect(await api.check(asked)).toEqual({ ...first, outcome: 'FOUND' });
    expect(await api.rows(asked.scopeId)).toHaveLength(1);
  });

  test('every other unit of the scope id is unknown then', async () => {
    const owner = unit();
    await api.insertLegacy(owner.scopeId, at);
    await api.check(owner);
    const rows = await api.rows(owner.scopeId);
    for (const part of ['scopeKey', 'collector', 'fetcher'] as const) {
      expect(await api.check({ ...owner, [part]: 'another' })).toMatchObject({
        outcome: 'UNKNOWN',
        scopeState: null,
      });
    }
    expect(await api.rows(owner.scopeId)).toEqual(rows);
  });

  test('a unit without a row is unknown, and nothing is written', async () => {
    const asked = unit();
    expect(await api.check(asked)).toMatchObject({ outcome: 'UNKNOWN', scopeState: null });
    expect(await api.rows(asked.scopeId)).toEqual([]);
  });

  test('a check that finds a row leaves it as it is', async () => {
    const asked = unit();
    await api.insertExact(asked, at);
    const rows = await api.rows(asked.scopeId);
    const found = await api.check(asked);
    expect(found).toMatchObject({
      outcome: 'FOUND',
      scopeState: { ...asked, legacy: false, version: 1 },
      nextPeriod: afterAt,
    });
    expect(await api.rows(asked.scopeId)).toEqual(rows);
  });

  test('an exact row wins over the legacy row, which stays for another unit', async () => {
    const asked = unit();
    await api.insertLegacy(asked.scopeId, '2026-02-02T00:00:00Z');
    await api.insertExact(asked, at);
    const rows = await api.rows(asked.scopeId);
    expect(await api.check(asked)).toMatchObject({
      outcome: 'FOUND',
      scopeState: { lastProcessedTimestamp: at },
    });
    expect(await api.rows(asked.scopeId)).toEqual(rows);

    const other = { ...asked, fetcher: 'source' };
    expect(await api.check(other)).toMatchObject({
      outcome: 'BACKFILLED',
      scopeState: { ...other, lastProcessedTimestamp: '2026-02-02T00:00:00Z' },
    });
  });

  test('a check takes over an inactive legacy row too, which stays inactive and has nothing due', async () => {
    const asked = unit();
    await api.insertLegacy(asked.scopeId, at, { active: false });
    const before = await api.find(asked);
    expect(await api.check(asked)).toMatchObject({
      outcome: 'BACKFILLED',
      scopeState: { active: false, scopeActivationToggleDate: before.scopeActivationToggleDate },
      nextPeriod: null,
    });
  });

  test.each([
    ['scope key', { scopeKey: 'project_id' }],
    ['collector', { collector: 'gnocchi' }],
    ['fetcher', { fetcher: 'keystone' }],
    ['scope key and collector', { scopeKey: 'project_id', collector: 'gnocchi' }],
    ['scope key and fetcher', { scopeKey: 'project_id', fetcher: 'keystone' }],
    ['collector and fetcher', { collector: 'gnocchi', fetcher: 'keystone' }],
  ])(
    'a row with only %s filled belongs to nobody: no check and no advance touches it',
    async (_name, filled) => {
      const asked = unit({ scopeKey: 'project_id', collector: 'gnocchi', fetcher: 'keystone' });
      await api.insert({ identifier: asked.scopeId, at, ...filled });
      const [row] = await api.rows(asked.scopeId);
      expect(await api.find(asked)).toBeNull();
      expect(await api.check(asked)).toMatchObject({ outcome: 'UNKNOWN', scopeState: null });
      expect(await api.nodesOf({ scopeIds: [asked.scopeId] })).toMatchObject([{ ...filled, legacy: false }]);

      const lastProcessedTimestamp = '2026-03-03T00:00:00Z';
      expect(await api.advance({ unit: asked, lastProcessedTimestamp, expected: at })).toEqual({
        outcome: 'STALE',
        backfilled: false,
        scopeState: null,
      });
      expect(await api.advance({ unit: asked, lastProcessedTimestamp })).toMatchObject({
        outcome: 'CREATED',
        backfilled: false,
      });
      const rows = await api.rows(asked.scopeId);
      expect(rows).toHaveLength(2);
      expect(rows[0]).toEqual(row);
    },
  );

  test('queries never change a row, whatever kind of row it is', async () => {
    const exact = unit();
    const others = ['monasca', 'prometheus'].map((collector) => ({ ...exact, collector }));
    await api.insertExact(exact, at);
    await api.insertLegacy(exact.scopeId, at);
    await api.insert({ identifier: exact.scopeId, at, collector: 'monasca' });
    const { id } = await api.find(exact);
    await api.reset(id, '2025-12-31T00:00:00Z'); // which a check acknowledges, and a query doesn't
    const rows = await api.rows();

    expect(await api.find(exact)).toMatchObject({ id, legacy: false });
    for (const other of others) expect(await api.find(other)).toMatchObject({ legacy: true });
    expect(await api.nodesOf({ scopeIds: [exact.scopeId] })).toHaveLength(3);
    for (const node of await api.nodesOf({ scopeIds: [exact.scopeId] })) {
      expect(await api.node(node.id)).toEqual(node);
    }
    expect(await api.rows()).toEqual(rows);
    expect((await api.check(others[1]!)).outcome).toBe('BACKFILLED'); // and a mutation does change it
    expect(await api.rows()).not.toEqual(rows);
  });

  test('an unknown unit starts with the first period of the current month, if that is due', async () => {
    const [before, checked, after] = [await api.clock(), await api.check(unit()), await api.clock()];
    const expected = [before, after].map((now) => {
      const start = now.toZonedDateTimeISO('UTC').with({ day: 1 }).startOfDay().toInstant();
      const due = Temporal.Instant.compare(start.add({ hours: 2 }), now) < 0;
      return due ? { start: start.toString(), end: start.add({ hours: 1 }).toString() } : null;
    });
    expect(expected).toContainEqual(checked.nextPeriod);
  });

  test('units of one legacy scope id are checked in the order given: the first takes the row over', async () => {
    const shared = unit();
    const units = ['gnocchi', 'monasca', 'prometheus'].map((collector) => ({ ...shared, collector }));
    await api.insertLegacy(shared.scopeId, at);
    const results = await api.checkAll(units);
    expect(results.map(outcomeOf)).toEqual(['BACKFILLED', 'UNKNOWN', 'UNKNOWN']);
    expect(results[0]!.scopeState).toMatchObject({ ...units[0], version: 2, lastProcessedTimestamp: at });
    expect(await api.rows(shared.scopeId)).toHaveLength(1);
  });

  test('a unit that is checked twice in one batch is told of the same row twice', async () => {
    const asked = unit();
    await api.insertLegacy(asked.scopeId, at);
    const [first, second] = await api.checkAll([asked, asked]);
    expect([first!.outcome, second!.outcome]).toEqual(['BACKFILLED', 'FOUND']);
    expect(second!.scopeState).toEqual(first!.scopeState);
    expect(second!.scopeState).toEqual(await api.find(asked));
  });

  test('an empty batch is a success', async () => {
    expect(await api.checkAll([])).toEqual([]);
  });

  test('a batch of 1,000 mixed units gives each its own outcome', async () => {
    const found = Array.from({ length: 400 }, () => unit());
    const legacy = Array.from({ length: 200 }, () => unit());
    const unknown = Array.from({ length: 200 }, () => unit());
    for (const one of found) await api.insertExact(one, at);
    for (const one of legacy) await api.insertLegacy(one.scopeId, at);
    const late = legacy.map((one) => ({ ...one, collector: 'monasca' }));
    const asked: [Unit, string][] = [
      ...found.map((one): [Unit, string] => [one, 'FOUND']),
      ...legacy.map((one): [Unit, string] => [one, 'BACKFILLED']),
      ...unknown.map((one): [Unit, string] => [one, 'UNKNOWN']),
    ].sort(([one], [other]) => one.scopeId.localeCompare(other.scopeId)); // random ids: well mixed
    asked.push(...late.map((one): [Unit, string] => [one, 'UNKNOWN']));
    expect(asked).toHaveLength(1000);

    const results = await api.checkAll(asked.map(([one]) => one));
    expect(results.map(outcomeOf)).toEqual(asked.map(([, outcome]) => outcome));
    results.forEach((result, place) => {
      const [one, outcome] = asked[place]!;
      if (outcome === 'UNKNOWN') expect(result.scopeState).toBeNull();
      else expect(result.scopeState).toMatchObject({ ...one, lastProcessedTimestamp: at });
    });
  });

  test.each([
    ['1,001 units', 1001, unit(), 'input.units'],
    ['one bad text', 3, unit({ fetcher: '' }), 'input.units[2].fetcher'],
  ])('a batch with %s is refused as a whole, and nothing is done', async (_name, count, last, field) => {
    const units = Array.from({ length: count - 1 }, () => unit());
    await api.insertLegacy(units[0]!.scopeId, at);
    const rows = await api.rows();
    const { data, errors } = await api.server.ask(operations.checkAll, {
      input: { units: [...units, last] },
    });
    expect(data ?? null).toBeNull();
    expect(errors).toEqual([
      expect.objectContaining({
        message: expect.stringContaining(field),
        extensions: expect.objectContaining({ code: 'BAD_USER_INPUT', field }),
      }),
    ]);
    expect(await api.rows()).toEqual(rows);
  });
});

function outcomeOf(result: { outcome: string }): string {
  return result.outcome;
}
