import { expect, test } from '@jest/globals';
import { isWorthRetrying, wantsToken, withAdvice } from '../../src/api/playground/token-advice.js';

const refused = { errors: [{ message: 'a token is needed', extensions: { code: 'UNAUTHENTICATED' } }] };

test('the playground says where to write a token, when the server wants one', () => {
  expect(wantsToken(refused)).toBe(true);
  expect(withAdvice(refused)).toEqual({
    advice: expect.stringMatching(/Headers.*\{"authorization": "Bearer scst_…"\}.*Re-fetch/),
    ...refused,
  });
});

test.each([[{ data: {} }], [{ errors: [{ message: 'x' }] }], ['text'], [null], [undefined]])(
  'and leaves %j alone',
  (answer) => expect(wantsToken(answer)).toBe(false),
);

test('a connection that was refused is not tried again', () => {
  expect(isWorthRetrying({ code: 4403, reason: 'no token' })).toBe(false);
  expect(isWorthRetrying({ code: 1006, reason: '' })).toBe(true);
  expect(isWorthRetrying(new Error('x'))).toBe(false);
});
