import { describe, expect, test } from '@jest/globals';
import { apiDatabases } from '../support/api-databases.js';
import { operations, useStateApi } from '../support/state-api.js';
import { unit } from '../support/units.js';

const at = '2026-01-01T00:00:00.000001Z';
const future = '9000-01-01T00:00:00Z';

describe.each(apiDatabases)('on $name', ({ create }) => {
  const api = useStateApi(create);

  test.each([
    ['active unless told otherwise', {}, true],
    ['active', { active: true }, true],
    ['inactive', { active: false }, false],
  ])('a unit gets its first state, %s', async (_name, given, active) => {
    const owner = unit();
    const start = await api.clock();
    const { outcome, scopeState } = await api.create({ unit: owner, lastProcessedTimestamp: at, ...given });
    const end = await api.clock();
    expect(outcome).toBe('CREATED');
    expect(scopeState).toMatchObject({
      ...owner,
      legacy: false,
      lastProcessedTimestamp: at,
      active,
      version: 1,
      lastAdvancedAt: null,
    });
    for (const written of [scopeState.updatedAt, scopeState.scopeActivationToggleDate]) {
      const instant = Temporal.Instant.from(written);
      expect(Temporal.Instant.compare(start, instant)).not.toBe(1);
      expect(Temporal.Instant.compare(instant, end)).not.toBe(1);
    }
    expect(await api.find(owner)).toEqual(scopeState);
    expect(await api.check(owner)).toMatchObject({ outcome: 'FOUND', scopeState });
    expect(await api.advance({ unit: owner, lastProcessedTimestamp: '2026-02-01T00:00:00Z' })).toMatchObject({
      outcome: active ? 'ADVANCED' : 'INACTIVE',
    });
  });

  test.each([
    ['the same time', at, true],
    ['another time', '2026-03-01T00:00:00Z', true],
    ['a time in the future', future, true],
    ['another flag', at, false],
  ])('a unit that has a state keeps it, whatever the request says: %s', async (_name, asked, active) => {
    const owner = unit();
    const { scopeState } = await api.create({ unit: owner, lastProcessedTimestamp: at });
    const rows = await api.rows(owner.scopeId);
    expect(await api.create({ unit: owner, lastProcessedTimestamp: asked, active })).toEqual({
      outcome: 'ALREADY_EXISTS',
      scopeState,
    });
    expect(await api.rows(owner.scopeId)).toEqual(rows);
  });

  test('a time in the future is refused, and nothing is written', async () => {
    const owner = unit();
    const soon = (await api.clock()).add({ minutes: 10 }).toString();
    for (const lastProcessedTimestamp of [soon, future]) {
      expect(await api.create({ unit: owner, lastProcessedTimestamp })).toEqual({
        outcome: 'IN_FUTURE',
        scopeState: null,
      });
    }
    expect(await api.rows(owner.scopeId)).toEqual([]);
  });

  test('a legacy row of the scope id does not stand in the way, and stays for another unit', async () => {
    const owner = unit();
    await api.insertLegacy(owner.scopeId, '2025-01-01T00:00:00Z');
    const [legacy] = await api.rows(owner.scopeId);
    expect(await api.create({ unit: owner, lastProcessedTimestamp: at })).toMatchObject({
      outcome: 'CREATED',
      scopeState: { ...owner, version: 1, lastProcessedTimestamp: at },
    });
    const rows = await api.rows(owner.scopeId);
    expect(rows).toHaveLength(2);
    expect(rows[0]).toEqual(legacy);

    const other = { ...owner, fetcher: 'source' };
    expect(await api.create({ unit: owner, lastProcessedTimestamp: at })).toMatchObject({
      outcome: 'ALREADY_EXISTS',
    });
    expect(await api.check(other)).toMatchObject({
      outcome: 'BACKFILLED',
      scopeState: { ...other, lastProcessedTimestamp: '2025-01-01T00:00:00Z' },
    });
  });

  test('a time in the future leaves the legacy row as it is and is answered without a state', async () => {
    const owner = unit();
    await api.insertLegacy(owner.scopeId, at);
    const rows = await api.rows(owner.scopeId);
    expect(await api.create({ unit: owner, lastProcessedTimestamp: future })).toEqual({
      outcome: 'IN_FUTURE',
      scopeState: null,
    });
    expect(await api.rows(owner.scopeId)).toEqual(rows);
  });

  test.each([
    ['collector', { collector: 'monasca' }],
    ['fetcher', { fetcher: 'source' }],
    ['scope key', { scopeKey: 'namespace' }],
  ])('units that differ in their %s only have a state each', async (_name, other) => {
    const owner = unit();
    const one = await api.create({ unit: owner, lastProcessedTimestamp: at });
    const two = await api.create({ unit: { ...owner, ...other }, lastProcessedTimestamp: at });
    expect([one.outcome, two.outcome]).toEqual(['CREATED', 'CREATED']);
    expect(two.scopeState.id).not.toBe(one.scopeState.id);
    expect(await api.rows(owner.scopeId)).toHaveLength(2);
  });

  test('a bad unit is refused with the field’s name, and nothing is written', async () => {
    const rows = await api.rows();
    const { errors } = await api.server.ask(operations.create, {
      input: { unit: unit({ collector: '' }), lastProcessedTimestamp: at },
    });
    expect(errors).toEqual([
      expect.objectContaining({
        extensions: expect.objectContaining({ code: 'BAD_USER_INPUT', field: 'input.unit.collector' }),
      }),
    ]);
    expect(await api.rows()).toEqual(rows);
  });
});
