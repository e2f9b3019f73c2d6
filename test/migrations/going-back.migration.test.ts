import { afterEach, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { migrateUp } from '../support/command.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { catalogOf, insertAsCloudKitty, rowsOf } from './layout.js';

let database: TestDatabase;

afterEach(() => database.drop());

test('README’s way back takes ours out, leaves the states, and is no end: a takeover works again', async () => {
  database = await createTestDatabase({ dump: 'head-populated.sql' });
  const [rows, { columns }] = [await rowsOf(database), await catalogOf(database, '')];
  await migrateUp(database.url);
  const [, back] = /```sql\n([^]*?)```/.exec(await readFile('README.md', 'utf8'))!;
  await database.query(back!);

  expect(await rowsOf(database)).toEqual(rows);
  const names = (list: Record<string, unknown>[]) => list.map(({ relname, attname }) => [relname, attname]);
  expect(names((await catalogOf(database, '')).columns)).toEqual(names(columns));
  expect(await database.query(insertAsCloudKitty)).toEqual([{ id: 23 }]);
  await migrateUp(database.url);
  expect(await rowsOf(database)).toHaveLength(rows.length + 1);
});
