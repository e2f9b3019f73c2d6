import { describe, expect, test } from '@jest/globals';
import { checkUnit } from '../../src/collection-unit/collection-unit.rules.js';
import { unitOf } from '../support/states.js';

describe('a unit', () => {
  test.each([
    ['of the longest texts', { scopeId: 'x'.repeat(256), scopeKey: 'k'.repeat(40) }],
    ['of 256 code points beyond the basic plane', { scopeId: '🪐'.repeat(256) }],
    ['with blanks, quotes and wildcards', { scopeId: ` "'\\%_ `, collector: ' ' }],
    ['not normalised', { scopeId: 'e\u0301' }],
  ])('%s is taken', (_name, given) => {
    expect(() => checkUnit({ ...unitOf('a'), ...given }, 'unit')).not.toThrow();
  });

  test.each([
    ['scopeId', '', /^unit\.scopeId: found an empty text; allowed: 1 to 256 characters/],
    ['scopeId', 'x'.repeat(257), /^unit\.scopeId: found 257 characters/],
    ['collector', 'x'.repeat(41), /^unit\.collector: found 41 characters .* allowed: 1 to 40/],
    ['scopeKey', 'a\0b', /^unit\.scopeKey: found the control character U\+0000/],
    ['fetcher', 'a\nb', /U\+000A/],
    ['fetcher', 'a\u007f', /U\+007F/],
    ['fetcher', 'a\u0085', /U\+0085/],
    ['scopeId', '\ud800', /half of a surrogate pair/],
    ['scopeId', 'a\udc00b', /half of a surrogate pair/],
  ])('whose %s is %j is refused', (part, text, message) => {
    expect(() => checkUnit({ ...unitOf('a'), [part]: text }, 'unit')).toThrow(message);
  });
});
