import * as crypto from 'node:crypto';
import { expect, jest, test } from '@jest/globals';

const compared = jest.fn(crypto.timingSafeEqual);
jest.unstable_mockModule('node:crypto', () => ({ ...crypto, timingSafeEqual: compared }));
const { isTextOf, newToken } = await import('../../src/access/token-text.js');

test('a token is compared by the whole of its digest, in constant time, whether it is known or not', () => {
  const { text, digest } = newToken();
  const firstByteWrong = Buffer.from(digest).fill(digest[0]! ^ 1, 0, 1);
  for (const known of [digest, firstByteWrong, undefined]) {
    compared.mockClear();
    expect(isTextOf(text, known)).toBe(known === digest);
    expect(compared.mock.calls).toEqual([[digest, known ?? expect.any(Buffer)]]);
  }
});
