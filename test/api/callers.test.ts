import { expect, test } from '@jest/globals';
import { Callers } from '../../src/api/callers.js';
import { readConfig } from '../../src/config.js';

const callersOf = (environment: Record<string, string>) => new Callers(readConfig(environment).limits);

test('the memory of one caller’s subscriptions leaves others as much, and comes back when they end', () => {
  const callers = callersOf({ SCOPESTATE_MAX_SUBSCRIPTION_BYTES: '1000000' });
  const messageFor = (caller: string, bytes: number) => callers.subscriptionRefusal(caller, bytes)?.message;
  const ends = [callers.beginSubscription('greedy', 400_000), callers.beginSubscription('greedy', 100_000)];
  expect(messageFor('greedy', 1)).toBe(
    'subscriptions: found 500001 bytes of yours; allowed: 500000 (half of SCOPESTATE_MAX_SUBSCRIPTION_BYTES)',
  );
  expect(messageFor('second', 500_000)).toBeUndefined();
  ends.push(callers.beginSubscription('second', 500_000));
  expect(messageFor('third', 1)).toBe(
    'subscriptions: found 1000001 bytes in all; allowed: 1000000 (SCOPESTATE_MAX_SUBSCRIPTION_BYTES)',
  );
  for (const end of [...ends, ...ends]) end(); // a second time is none
  for (const caller of ['greedy', 'second', 'third']) expect(messageFor(caller, 500_000)).toBeUndefined();
  expect(messageFor('third', 500_001)).toBeDefined();
});
