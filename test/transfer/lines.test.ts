import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { linesOf, type Line } from '../../src/transfer/lines.js';

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  await Promise.resolve();
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function linesIn(bytes: Buffer, size: number): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const some of linesOf(inChunks(bytes, size))) lines.push(...some);
  return lines;
}

test('lines are the same however the bytes arrive', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', '\n', 'ü', '𝔘', '"') });
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 9 }), async (given, size) => {
      const wanted = given.split('\n');
      if (wanted.at(-1) === '') wanted.pop();
      const lines = await linesIn(Buffer.from(given), size);
      expect(lines).toEqual(wanted.map((line, place) => ({ number: place + 1, text: line })));
    }),
  );
});

test('bytes that are no UTF-8 spoil their own line only', async () => {
  const bytes = Buffer.concat([Buffer.from('one\r\ntw'), Buffer.from([0xff]), Buffer.from('o\nthree')]);
  const lines = await linesIn(bytes, 100);
  expect(lines.map(({ number, fault }) => [number, fault])).toEqual([
    [1, undefined],
    [2, 'it is not UTF-8'],
    [3, undefined],
  ]);
  expect(lines[0]!.text).toBe('one');
});

test('a line without an end spoils itself only, and is not kept', async () => {
  const bytes = Buffer.concat([
    Buffer.from('one\n'),
    Buffer.alloc(3_000_000, 'x'),
    Buffer.from('\nthree\nfour'),
  ]);
  const lines = await linesIn(bytes, 65_536);
  expect(lines.map(({ number, fault }) => [number, fault !== undefined])).toEqual([
    [1, false],
    [2, true],
    [3, false],
    [4, false],
  ]);
  expect(lines[1]!.text.length).toBeLessThan(100_000);
  expect(lines.slice(2).map(({ text }) => text)).toEqual(['three', 'four']);
});
