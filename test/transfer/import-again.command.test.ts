import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { link, readFile, symlink } from 'node:fs/promises';
import type { TestDatabase } from '../support/test-database.js';
import { header, numbersIn, rowsOf, Transfer } from './transfer-command.js';

let transfer: Transfer;
let database: TestDatabase;

beforeAll(async () => {
  transfer = await Transfer.create();
  database = await transfer.database();
});
afterAll(() => transfer.dispose());

async function imported(lines: string[], ...words: string[]) {
  const path = await transfer.file('in.csv', [header, ...lines, ''].join('\n'));
  const result = await transfer.run(database, 'import', path, ...words);
  return { ...result, numbers: numbersIn(result.out) };
}

test('a legacy row that a unit has taken over is not put in again, unless that state has gone', async () => {
  const lines = ['once,,,,2026-01-02T00:00:00Z,,', 'other,,,,2026-01-02T00:00:00Z,,'];
  await imported(lines, '--apply');
  await database.query(
    `update cloudkitty_storage_states set scope_key = 'k', collector = 'c', fetcher = 'f' where identifier = 'once'`,
  );
  for (const rule of ['fail', 'keep-latest']) {
    const again = await imported(lines, '--apply', '--on-conflict', rule);
    expect(again).toMatchObject({
      code: 0,
      numbers: { inserted: 0, unchanged: 1, 'taken over': 1, conflicts: 0 },
    });
    expect(again.out).toMatch(/another unit would take it over/);
  }
  expect(await rowsOf(database)).toHaveLength(2);
  await database.query(`delete from cloudkitty_storage_states where identifier = 'once'`);
  expect(await imported(lines, '--apply')).toMatchObject({ numbers: { inserted: 1, 'taken over': 0 } });
});

test('rejected lines are not written over their source, under whichever name', async () => {
  const path = await transfer.file('linked.csv', [header, 'a,,,,never,,', ''].join('\n'));
  const names = [`${path}.link`, `${path}.hard`];
  await symlink(path, names[0]!);
  await link(path, names[1]!);
  const before = await readFile(path, 'utf8');
  for (const name of names) {
    const { code, err } = await transfer.run(database, 'import', path, '--rejects', name);
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(/is the source itself; name another file/),
    });
  }
  expect(await readFile(path, 'utf8')).toBe(before);
});
