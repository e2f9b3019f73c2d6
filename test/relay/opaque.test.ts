import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BadInput } from '../../src/fault.js';
import { decodeCursor, encodeCursor } from '../../src/relay/cursor.js';
import { nodeId, rowOfNodeId } from '../../src/relay/node-id.js';
import { pageRequest } from '../../src/relay/paging.js';
import { planToken, readPlanToken } from '../../src/scope-state/plan-token.rules.js';

describe('a cursor', () => {
  const parts = fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer()), { minLength: 1 });

  test('is read as it was written', () => {
    fc.assert(
      fc.property(parts, (given) => expect(decodeCursor(encodeCursor(given), 'after')).toEqual(given)),
    );
  });

  test('that was cut, lengthened or altered is refused, naming the argument', () => {
    fc.assert(
      fc.property(parts, fc.nat(), fc.constantFrom('A', 'z', '', '=', ' ', '\n'), (given, place, put) => {
        const cursor = encodeCursor(given);
        const cut = place % cursor.length;
        const altered = cursor.slice(0, cut) + put + cursor.slice(cut + 1);
        if (altered === cursor) return;
        expect(() => decodeCursor(altered, 'after')).toThrow(BadInput);
        expect(() => decodeCursor(altered, 'after')).toThrow(/^after: /);
      }),
    );
  });
});

describe('a node id', () => {
  test('is read as it was written', () => {
    expect(rowOfNodeId('ScopeState', nodeId('ScopeState', 2_147_483_647), 'id')).toBe(2_147_483_647n);
  });

  test.each([
    '',
    '1',
    'ScopeState:1',
    nodeId('Other', 1),
    nodeId('ScopeState', 0),
    `${nodeId('ScopeState', 1)}=`,
  ])('is refused when it is %j', (id) =>
    expect(() => rowOfNodeId('ScopeState', id, 'input.id')).toThrow(/^input\.id: found /),
  );
});

describe('a plan token', () => {
  const plan = { digest: 'a'.repeat(64), madeAt: Temporal.Instant.from('2026-11-23T01:02:03.000004Z') };

  test('is read as it was written', () => {
    expect(readPlanToken(planToken(plan), 'input.planToken')).toEqual(plan);
  });

  test.each([
    '',
    'p1',
    `p1-zzzzzzzzzzzzz-${plan.digest}`,
    `p1-zzzzzzzzzzzzzz-${plan.digest}`,
    `p2-0-${plan.digest}`,
    `p1-0-${'A'.repeat(64)}`,
  ])('is refused when it is %j', (token) =>
    expect(() => readPlanToken(token, 'input.planToken')).toThrow(/^input\.planToken: found /),
  );
});

describe('a page', () => {
  test.each([
    [{}, { size: 100, backward: false }],
    [{ first: 1 }, { size: 1, backward: false }],
    [{ last: 1000 }, { size: 1000, backward: true }],
  ])('of %j is taken', (asked, request) => expect(pageRequest(asked)).toEqual(request));

  test.each([
    [{ first: 0 }, 'first'],
    [{ first: -1 }, 'first'],
    [{ first: 1001 }, 'first'],
    [{ last: 0 }, 'last'],
    [{ first: 1, last: 1 }, 'first'],
  ])('of %j is refused, naming the argument', (asked, field) => {
    expect(() => pageRequest(asked)).toThrow(new RegExp(`^${field}: found `));
  });
});
