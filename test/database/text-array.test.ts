import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { textArray } from '../../src/database/text-array.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test.each<[string, string[]]>([
  ['none', []],
  ['one', ['a']],
  ['empty ones', ['', '']],
  ['the word for no value', ['NULL', 'null']],
  ['quotes and backslashes', ['"', '\\', '\\"', '"",""', 'a\\', '\\\\"\\']],
  ['what separates and encloses', [',', '{}', '{', '}', '","', ' a ', "'", ';--']],
  ['more than ASCII', ['ü', '𝒳', '\u2028', 'e\u0301']],
  ['control characters', ['\u0001', '\t', '\n', '\r']],
])('PostgreSQL reads each text as it was: %s', async (_name, texts) => {
  const [row] = await database.query('select $1::text[] as texts, cardinality($1::text[]) as length', [
    textArray(texts),
  ]);
  expect(row).toEqual({ texts, length: texts.length });
});
