import { expect, test } from '@jest/globals';
import { withFittingOperation } from '../../src/api/playground/fitting-operation.js';

test.each([
  ['that is in the text stays', 'query A { a } mutation B { b }', 'B', 'B'],
  ['of an earlier text is left out', '{ a }', 'A', undefined],
  ['that is none stays none', '{ a }', undefined, undefined],
  ['with a text that can’t be read is left out', '{ a', 'A', undefined],
])('an operation name %s', (_what, query, operationName, expected) => {
  expect(withFittingOperation({ query, operationName }).operationName).toBe(expected);
});
