import { expect, test } from '@jest/globals';
import { subscriptionAsked } from '../../src/api/playground/subscription-asked.js';

test.each([
  ['subscription A { x }', undefined, 'A'],
  ['subscription A { x } query B { x }', 'A', 'A'],
  ['subscription { x }', undefined, undefined],
])('%s is a subscription', (query, operationName, name) => {
  expect(subscriptionAsked({ query, operationName })?.request.operationName).toBe(name);
  expect(subscriptionAsked({ query, operationName })?.documentAST.kind).toBe('Document');
});

test.each([
  ['query A { x }', undefined],
  ['subscription A { x } query B { x }', 'B'],
  ['{', undefined],
])('%s is none', (query, operationName) => {
  expect(subscriptionAsked({ query, operationName })).toBeUndefined();
});
