export function median(numbers) {
  const sorted = numbers.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Between the lowest and the highest, as a part of the median. */
export function spread(numbers) {
  return (Math.max(...numbers) - Math.min(...numbers)) / median(numbers);
}

/** A round's rates are near each other in time: what slowed one down slowed the other down as well. */
export function ratiosOfRounds(ones, others) {
  return ones.map((one, round) => one / others[round]);
}
