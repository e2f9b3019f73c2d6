import * as crypto from 'node:crypto';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';

const compared = jest.fn(crypto.timingSafeEqual);
jest.unstable_mockModule('node:crypto', () => ({ ...crypto, timingSafeEqual: compared }));
const { isTextOf, newToken, TokenTexts } = await import('../../src/access/token-text.js');

test('a token is compared by the whole of its digest, in constant time, whether it is known or not', () => {
  const { text, digest } = newToken();
  const firstByteWrong = Buffer.from(digest).fill(digest[0]! ^ 1, 0, 1);
  for (const known of [digest, firstByteWrong, undefined]) {
    compared.mockClear();
    expect(isTextOf(text, known)).toBe(known === digest);
    expect(compared.mock.calls).toEqual([[digest, known ?? expect.any(Buffer)]]);
  }
});

describe('a text that was proven', () => {
  const bytesOf = (each: unknown) => Uint8Array.from(each as Buffer);
  const bytes = (text: string) => bytesOf(Buffer.from(text));
  const hashed = (text: string) => bytesOf(crypto.createHash('sha256').update(text).digest());
  const comparisons = () => compared.mock.calls.map((sides) => sides.map(bytesOf));
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test('is compared as a whole, in constant time, and others by their digests', () => {
    const texts = new TokenTexts();
    const { text, digest } = newToken();
    const lastCharacterWrong = `${text.slice(0, -1)}${text.endsWith('A') ? 'E' : 'A'}`;
    expect(texts.isTextOf(lastCharacterWrong, digest)).toBe(false);
    expect(texts.isTextOf(text, digest)).toBe(true);
    compared.mockClear();
    expect(texts.isTextOf(text, digest)).toBe(true);
    expect(texts.isTextOf(lastCharacterWrong, digest)).toBe(false);
    expect(texts.isTextOf(`${text}A`, digest)).toBe(false);
    expect(comparisons()).toEqual([
      [bytes(text), bytes(text)],
      [bytes(lastCharacterWrong), bytes(text)],
      [hashed(lastCharacterWrong), bytesOf(digest)],
      [hashed(`${text}A`), bytesOf(digest)],
    ]);
  });

  test('is nobody else’s', () => {
    const texts = new TokenTexts();
    const { text, digest } = newToken();
    expect(texts.isTextOf(text, digest)).toBe(true);
    expect(texts.isTextOf(text, newToken().digest)).toBe(false);
    expect(texts.isTextOf(text, undefined)).toBe(false);
  });

  test('is forgotten within a second, and overwritten', () => {
    const texts = new TokenTexts();
    const { text, digest } = newToken();
    texts.isTextOf(text, digest);
    texts.isTextOf(text, digest);
    const kept = compared.mock.lastCall![1] as Uint8Array;
    expect(bytesOf(kept)).toEqual(bytes(text));
    jest.advanceTimersByTime(1_000);
    expect(bytesOf(kept)).toEqual(bytesOf(Buffer.alloc(text.length)));
    compared.mockClear();
    expect(texts.isTextOf(text, digest)).toBe(true);
    expect(comparisons()).toEqual([[hashed(text), bytesOf(digest)]]);
  });
});
