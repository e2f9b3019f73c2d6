import { expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const [, model = ''] = readFileSync('SECURITY.md', 'utf8').split('## Threat model');
const rows = model
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
const isHeading = ([first]: string[]) => first === 'threat';
const isRule = (cells: string[]) => cells.every((cell) => /^-+$/.test(cell));
const claims = rows.filter((cells) => !isHeading(cells) && !isRule(cells));
const filesOf = (text: string) => [...text.matchAll(/`([^`]+\.test\.ts)`/g)].map(([, file]) => file!);

test('each table of the threat model has a column for its tests', () => {
  expect(rows.filter(isHeading)).toEqual(rows.filter(isRule).map(() => ['threat', 'what holds it', 'test']));
});

test('each claim names tests, and nothing else, and they are there', () => {
  expect(claims.length).toBeGreaterThan(40);
  for (const claim of claims) {
    const [, , named = '', ...more] = claim;
    const files = filesOf(named);
    expect([claim, files.length > 0, more]).toEqual([claim, true, []]);
    expect(files.map((file) => `\`${file}\``).join(', ')).toBe(named);
  }
  expect(filesOf(model).filter((file) => !existsSync(`test/${file}`))).toEqual([]);
});

test('no attack, and no test of who gets in, is left out', () => {
  const written = ['access', 'attacks'].flatMap((folder) =>
    readdirSync(`test/${folder}`)
      .filter((file) => file.endsWith('.test.ts') && file !== 'security-document.test.ts')
      .map((file) => `${folder}/${file}`),
  );
  const named = filesOf(model);
  expect(written.filter((file) => !named.includes(file))).toEqual([]);
});
