export function median(numbers) {
  const sorted = numbers.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const sureness = 0.9;

/**
 * The narrowest two of these figures between which the median lies, nine in ten sure, of all that could have been measured, by their
 * order alone and whatever their distribution (an interval of order statistics): of five to seven the lowest and the highest, of eight
 * the second ones. Of fewer than five no two are that sure, and these are the lowest and the highest.
 */
export function aroundMedian(numbers) {
  const sorted = numbers.toSorted((one, other) => one - other);
  const count = sorted.length;
  let leftOut = 0; // on each side
  while (outside(count, leftOut + 1) <= 1 - sureness) leftOut += 1;
  return [sorted[leftOut], sorted[count - 1 - leftOut]];
}

/** How probable it is that the median is none of those between, if so many are left out on each side: throws of a coin. */
function outside(count, leftOut) {
  let ways = 1;
  let probable = 0;
  for (let heads = 0; heads <= leftOut; heads += 1) {
    probable += 2 * ways * 0.5 ** count;
    ways *= (count - heads) / (heads + 1);
  }
  return probable;
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
