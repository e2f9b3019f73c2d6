import { expect, test } from '@jest/globals';
import { heapBound } from '../../src/transfer/heap-bound.js';

const megabyte = 1024 * 1024;

/** So much that it has left the young generation, where it would be collected soon. */
function makeGarbage(): void {
  const texts: string[][] = [];
  for (let number = 0; number < 200; number++) {
    texts.push(Array.from({ length: 20_000 }, (_, place) => `${number} ${place}`));
  }
  expect(process.memoryUsage().heapUsed).toBeGreaterThan(100 * megabyte);
}

test('garbage of a heap that has grown large is collected at once', () => {
  const bound = heapBound();
  makeGarbage();
  const before = process.memoryUsage().heapUsed;
  bound();
  expect(process.memoryUsage().heapUsed).toBeLessThan(before - 50 * megabyte);
});

test('what is in use is not collected again and again', () => {
  const bound = heapBound();
  const used = Array.from({ length: 4_000_000 }, (_, place) => ({ place }));
  bound();
  const startedAt = process.cpuUsage();
  for (let times = 0; times < 1000; times++) bound();
  expect(used).toHaveLength(4_000_000);
  expect(process.cpuUsage(startedAt).user).toBeLessThan(5_000_000); // once is a tenth of a second
});
