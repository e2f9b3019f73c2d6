import { expect } from '@jest/globals';

// An instant has no properties of its own: without this, any two are equal for Jest.
expect.addEqualityTesters([
  (one, other) =>
    one instanceof Temporal.Instant && other instanceof Temporal.Instant ? one.equals(other) : undefined,
]);
