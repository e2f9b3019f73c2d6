import { expect, test } from '@jest/globals';

const file = new URL('../../bench/report/statistics.js', import.meta.url);
const { aroundMedian, spread } = (await import(String(file))) as {
  aroundMedian: (numbers: readonly number[]) => [number, number];
  spread: (numbers: readonly number[]) => number;
};

/** Of so many figures the median lies between these, nine in ten sure; of fewer than five, no two are that sure. */
test.each([
  [1, [1, 1]],
  [2, [1, 2]],
  [4, [1, 4]],
  [5, [1, 5]],
  [7, [1, 7]],
  [8, [2, 7]],
  [10, [2, 9]],
  [11, [3, 9]],
  [20, [6, 15]],
])('of %i figures that fall', (count, between) => {
  const figures = Array.from({ length: count }, (_, place) => count - place);
  expect(aroundMedian(figures)).toEqual(between);
});

test('how far they lie apart is a part of the median', () => {
  expect(spread([12, 8, 10, 9, 11])).toBeCloseTo(0.4);
});
