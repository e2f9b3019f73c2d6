export function median(numbers) {
  const sorted = numbers.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const sureness = 0.9;

/**
 * Between which two of these figures the median lies of all that could have been measured, nine in ten sure: by their order alone,
 * whatever their distribution (an interval of order statistics). Of five, and of fewer, these are the lowest and the highest, of
 * eight the second ones.
 */
export function aroundMedian(numbers) {
  const sorted = numbers.toSorted((one, other) => one - other);
  const count = sorted.length;
  let outside = 0;
  // So many of `count` throws of a coin are heads, or fewer: so probable is it that the median is not above this one.
  for (let atMost = 2 * 0.5 ** count; atMost <= 1 - sureness;) {
    outside += 1;
    atMost += 2 * binomial(count, outside) * 0.5 ** count;
  }
  const place = Math.max(0, outside - 1);
  return [sorted[place], sorted[count - 1 - place]];
}

function binomial(all, some) {
  let ways = 1;
  for (let one = 1; one <= some; one += 1) ways *= (all - some + one) / one;
  return ways;
}

/** How far these two lie apart, as a part of the median. */
export function spread(numbers) {
  const [low, high] = aroundMedian(numbers);
  return (high - low) / median(numbers);
}

/** A round's rates are near each other in time: what slowed one down slowed the other down as well. */
export function ratiosOfRounds(ones, others) {
  return ones.map((one, round) => one / others[round]);
}
