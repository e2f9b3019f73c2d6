import { describe, expect, test } from '@jest/globals';
import { addressKey, TokenBuckets } from '../../src/api/token-bucket.rules.js';

describe('a bucket', () => {
  test('gives its burst at once, then as many as come back', () => {
    const buckets = new TokenBuckets(2, 3);
    const take = (millis: number) => buckets.take('a', millis);
    expect([take(0), take(0), take(0), take(0)]).toEqual([0, 0, 0, 1]);
    expect([take(499), take(500), take(500)]).toEqual([1, 0, 1]);
    expect([take(60_000), take(60_000), take(60_000), take(60_000)]).toEqual([0, 0, 0, 1]);
  });

  test('is one caller’s', () => {
    const buckets = new TokenBuckets(1, 1);
    expect([buckets.take('a', 0), buckets.take('b', 0), buckets.take('a', 0)]).toEqual([0, 0, 1]);
  });

  test('says how long it takes', () => {
    const buckets = new TokenBuckets(1, 1);
    buckets.take('a', 0);
    expect(buckets.take('a', 0)).toBe(1);
  });

  test('of a rate of 0 is bottomless', () => {
    const buckets = new TokenBuckets(0, 1);
    expect(Array.from({ length: 100 }, () => buckets.take('a', 0))).not.toContain(1);
  });

  test('the callers who were silent longest are forgotten first', () => {
    const buckets = new TokenBuckets(1, 1);
    buckets.take('quiet', 0);
    buckets.take('busy', 0);
    for (let n = 0; n < 9_998; n++) buckets.take(`${n}`, 0);
    expect(buckets.take('busy', 0)).toBe(1);
    buckets.take('one more', 0);
    expect([buckets.take('busy', 0), buckets.take('quiet', 0)]).toEqual([1, 0]);
  });

  test('and whoever has asked again is not forgotten for having come first', () => {
    const buckets = new TokenBuckets(1, 1);
    for (const caller of ['first', 'second', 'second', 'first']) buckets.take(caller, 0);
    for (let n = 0; n < 9_999; n++) buckets.take(`${n}`, 0);
    expect([buckets.take('first', 0), buckets.take('second', 0)]).toEqual([1, 0]);
  });
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2:aaaa::1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  [undefined, 'unknown'],
])('%s is counted as %s', (address, key) => {
  expect(addressKey(address)).toBe(key);
});
