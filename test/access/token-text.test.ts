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

test('a text that was proven is compared as a whole, in constant time, and only of its length; others by their digests', () => {
  const { text, digest } = newToken();
  const lastCharacterWrong = `${text.slice(0, -1)}${text.endsWith('A') ? 'E' : 'A'}`;
  expect(isTextOf(lastCharacterWrong, digest)).toBe(false);
  expect(isTextOf(text, digest)).toBe(true);
  const bytes = (of: string) => Uint8Array.from(Buffer.from(of));
  compared.mockClear();
  expect(isTextOf(text, digest)).toBe(true);
  expect(isTextOf(lastCharacterWrong, digest)).toBe(false);
  expect(isTextOf(`${text}A`, digest)).toBe(false);
  expect(isTextOf(text, newToken().digest)).toBe(false);
  const told = compared.mock.calls.map(([one, other]) =>
    [one, other].map((each) => Uint8Array.from(each as Buffer)),
  );
  const byDigest = (of: string, known = digest) => [hashOf(of), known].map((each) => Uint8Array.from(each));
  expect(told.slice(0, 4)).toEqual([
    [bytes(text), bytes(text)],
    [bytes(lastCharacterWrong), bytes(text)],
    byDigest(lastCharacterWrong),
    byDigest(`${text}A`),
  ]);
  expect(told).toHaveLength(5);
});

function hashOf(text: string): Buffer {
  return crypto.createHash('sha256').update(text).digest();
}
