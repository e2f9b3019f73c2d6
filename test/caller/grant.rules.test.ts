import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { allUnits, cover, coverAll, type Grant } from '../../src/caller/grant.rules.js';

const grant = (texts: Partial<Grant>): Grant => ({ ...allUnits[0]!, ...texts });
const texts = { scopeId: 'tenant-7', scopeKey: 'project_id', collector: 'gnocchi', fetcher: 'keystone' };

describe('a pattern', () => {
  test.each([
    ['*', true],
    ['tenant-7', true],
    ['tenant-*', true],
    ['*-7', true],
    ['t*n*7', true],
    ['**', true],
    ['tenant-7*', true],
    ['tenant', false],
    ['TENANT-7', false],
    ['tenant-_', false],
    ['tenant-%', false],
    ['tenant-.', false],
    ['tenant-7*7', false],
    ['t*t*t*7', false],
    ['', false],
  ])('%j on tenant-7: %s', (scopeId, fits) => {
    expect(cover([grant({ scopeId })], texts)).toBe(fits);
  });

  test('means what the same regular expression means', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*', '%', '_', '\\'), maxLength: 12 });
    fc.assert(
      fc.property(text, text, (pattern, scopeId) => {
        const parts = pattern.split('*').map((part) => part.replaceAll('\\', '\\\\'));
        const expected = new RegExp(`^${parts.join('.*')}$`, 's').test(scopeId);
        expect(cover([grant({ scopeId: pattern })], { ...texts, scopeId })).toBe(expected);
      }),
    );
  });

  test('of stars only is quick on a long text', () => {
    const pattern = 'a*'.repeat(128);
    expect(cover([grant({ scopeId: `${pattern}b` })], { ...texts, scopeId: 'a'.repeat(256) })).toBe(false);
  });
});

test('all four patterns of one grant have to fit', () => {
  const grants = [grant({ scopeId: 'tenant-*', collector: 'monasca' }), grant({ scopeId: 'other' })];
  expect(cover(grants, texts)).toBe(false);
  expect(cover(grants, { ...texts, collector: 'monasca' })).toBe(true);
  expect(cover(grants, { ...texts, scopeId: 'other' })).toBe(true);
  expect(cover([], texts)).toBe(false);
});

test('an empty column fits every pattern: a legacy row can become any unit of its scope id', () => {
  const legacy = { scopeId: 'tenant-7', scopeKey: null, collector: null, fetcher: null };
  expect(cover([grant({ collector: 'monasca' })], legacy)).toBe(true);
  expect(cover([grant({ scopeId: 'other', collector: 'monasca' })], legacy)).toBe(false);
});

test('only four stars cover all', () => {
  expect(coverAll(allUnits)).toBe(true);
  expect(coverAll([grant({ scopeId: 'a' }), grant({ fetcher: '**' })])).toBe(true);
  expect(coverAll([grant({ scopeId: 'a*' })])).toBe(false);
  expect(coverAll([])).toBe(false);
});
