import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import type { TestDatabase } from '../support/test-database.js';
import { numbersIn, rowsOf, Transfer } from './transfer-command.js';

let transfer: Transfer;
let database: TestDatabase;

beforeAll(async () => {
  transfer = await Transfer.create();
  database = await transfer.database();
});
beforeEach(() => database.query('delete from cloudkitty_storage_states'));
afterAll(() => transfer.dispose());

describe('inputs', () => {
  const row = '{"identifier":"ü","state":"2026-01-01 00:00:00","id":7,"collector":null}\n';

  test.each([
    { name: 'NDJSON', input: row, words: ['--format', 'ndjson'] },
    { name: 'gzip', input: gzipSync(row), words: ['--format', 'ndjson'] },
    {
      name: 'TSV with CRLF and a BOM',
      input: '\uFEFFstate\tidentifier\tid\r\n2026-01-01 00:00:00\tü\t7\r\n',
      words: ['--format', 'tsv'],
    },
  ])('$name on standard input', async ({ input, words }) => {
    const { code, out, err } = await transfer.pipe(database, input, 'import', '-', '--apply', ...words);
    expect({ code, numbers: numbersIn(out) }).toMatchObject({ code: 0, numbers: { inserted: 1 } });
    expect({ out, err }).toMatchObject({ out: expect.stringMatching(/^ignored columns: id$/m) });
    expect(await database.query('select identifier from cloudkitty_storage_states')).toEqual([
      { identifier: 'ü' },
    ]);
  });

  test('a gzip that ends too soon is one line, and nothing has happened', async () => {
    const whole = gzipSync(Array.from({ length: 50_000 }, (_, i) => row.replace('ü', `s${i}`)).join(''));
    const { code, err } = await transfer.pipe(
      database,
      whole.subarray(0, -20),
      'import',
      '-',
      '--apply',
      '--format',
      'ndjson',
    );
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(/^scopestate: can't read standard input: [^\n]*; nothing was changed\n$/),
    });
    expect(await rowsOf(database)).toEqual([]);
  });

  test.each([
    { words: [], code: 2 },
    { words: ['x'], code: 2 },
    { words: ['sqlite:///x'], code: 2 },
    { words: ['x.csv', '--rejects', 'x.csv'], code: 2 },
    { words: ['x.csv', '--on-conflict', 'guess'], code: 2 },
    { words: ['missing.csv'], code: 1 },
    { words: ['.', '--format', 'csv'], code: 1 },
    { words: ['postgresql://ck:hunter2@127.0.0.1:1/ck'], code: 1 },
    { words: ['mysql+pymysql://ck:hunter2@127.0.0.1:1/ck'], code: 1 },
    { words: ['mysql://ck:hunter2@nobody.invalid/ck'], code: 1 },
    { words: ['mysql://ck:hunter2@127.0.0.1:1/ck?odd=1'], code: 1 },
  ])('import $words ends with $code and one line without a password', async ({ words, code }) => {
    const result = await transfer.run(database, 'import', ...words);
    expect(result).toEqual({ code, out: '', err: expect.stringMatching(/^[^\n]+\n$/) });
    expect(result.err).not.toContain('hunter2');
  });

  test('a missing column is one line', async () => {
    const { code, err } = await transfer.pipe(
      database,
      'identifier,fetcher\na,b\n',
      'import',
      '-',
      '--format',
      'csv',
    );
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(
        /^scopestate: standard input: the column lastProcessedTimestamp [^\n]* is missing; [^\n]*\n$/,
      ),
    });
  });
});

test('a database whose migrations are pending is refused, and says how to go on', async () => {
  const empty = await transfer.database({ empty: true });
  for (const words of [['import', '-', '--format', 'csv'], ['export']]) {
    const { code, err } = await transfer.run(empty, ...words);
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(/^scopestate: \d+ migrations are pending .*"scopestate migrate up" first/),
    });
  }
});
