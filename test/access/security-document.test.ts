import { expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';

const text = readFileSync('SECURITY.md', 'utf8');
const rows = text.split('\n').filter((line) => line.startsWith('|') && !/^\| *(threat|version|-)/.test(line));
const claims = rows
  .map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  .filter((cells) => cells.length === 3);

test('each claim of SECURITY.md names a test that there is', () => {
  expect(claims.length).toBeGreaterThan(15);
  for (const [threat, , named] of claims) {
    const files = [...named!.matchAll(/`([^`]+)`/g)].map(([, file]) => file!);
    expect([threat, files.length > 0]).toEqual([threat, true]);
    expect(files.filter((file) => !existsSync(`test/${file}`))).toEqual([]);
  }
});
