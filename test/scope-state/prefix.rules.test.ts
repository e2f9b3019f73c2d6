import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { endOfPrefix } from '../../src/scope-state/prefix.rules.js';

const before = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other)) < 0;

test.each([
  ['a', 'b'],
  ['ab', 'ac'],
  ['\u{d7ff}', '\u{e000}'],
  ['a\u{10ffff}', 'b'],
  ['é\u{10ffff}\u{10ffff}', 'ê'],
  ['\u{10ffff}', undefined],
  ['😀', '😁'],
])('behind all that begin with %j comes %j', (prefix, end) => {
  expect(endOfPrefix(prefix)).toBe(end);
});

test('what begins with a prefix, and only that, lies between it and its end, as bytes are sorted', () => {
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(text, text, fc.boolean(), (prefix, other, isPrefixed) => {
      const value = isPrefixed ? prefix + other : other;
      const end = endOfPrefix(prefix);
      const isBetween = !before(value, prefix) && (end === undefined || before(value, end));
      expect(isBetween).toBe(value.startsWith(prefix));
    }),
    { numRuns: 2_000 },
  );
});
