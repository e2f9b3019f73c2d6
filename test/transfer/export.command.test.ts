import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { once } from 'node:events';
import { execFileSync } from 'node:child_process';
import { chmod, lstat, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { formats } from '../../src/transfer/format.rules.js';
import { casesOn, postgresMajors, type TestDatabase } from '../support/test-database.js';
import { scaled } from '../support/units.js';
import { header, numbersIn, rowsOf, Transfer } from './transfer-command.js';

let transfer: Transfer;
let from: TestDatabase;

beforeAll(async () => {
  transfer = await Transfer.create();
  from = await transfer.database();
});
beforeEach(() => from.query('delete from cloudkitty_storage_states'));
afterAll(() => transfer.dispose());

async function insert(database: TestDatabase, rows: readonly unknown[]): Promise<void> {
  await database.query(
    `insert into cloudkitty_storage_states
       (identifier, scope_key, collector, fetcher, last_processed_timestamp, active, scope_activation_toggle_date)
     select u[1], u[2], u[3], u[4], at::timestamp, active, toggled::timestamp
     from jsonb_to_recordset($1::jsonb) as t (u text[], at text, active boolean, toggled text)`,
    [JSON.stringify(rows)],
  );
}

const allowed = (longest: number) =>
  fc
    .oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: longest }),
      fc.string({
        unit: fc.constantFrom('"', ',', '\\', ' ', 'N', "'", '.', '\u2028', '𝔘', '{', '\uFEFF'),
        minLength: 1,
        maxLength: longest,
      }),
    )
    .map((text) => text.replaceAll(/\p{Cc}/gu, '_'))
    .filter((text) => text.isWellFormed() && text.length > 0 && Array.from(text).length <= longest);

const time = fc.bigInt({ min: 0n, max: 1_790_000_000_000_000n }).map((micros) =>
  Temporal.Instant.fromEpochNanoseconds(micros * 1000n)
    .toString({ fractionalSecondDigits: 6 })
    .replace('Z', ''),
);

const anyRow = fc.record({
  u: fc.tuple(allowed(256), ...[1, 2, 3].map(() => fc.option(allowed(40)))),
  at: time,
  active: fc.boolean(),
  toggled: time,
});

/** Each run starts three processes. */
const propertyMillis = 300_000;

describe.each(postgresMajors)('on PostgreSQL %i', (major) => {
  test.each(casesOn(major, formats))(
    'any rows survive export, import and export as %s, byte for byte',
    async (format) => {
      const one = await transfer.database({ major });
      const other = await transfer.database({ major });
      const rows = fc.uniqueArray(anyRow, { selector: ({ u }) => JSON.stringify(u), maxLength: 60 });
      await fc.assert(
        fc.asyncProperty(rows, async (given) => {
          for (const database of [one, other]) await database.query('delete from cloudkitty_storage_states');
          await insert(one, given);
          const first = await transfer.run(one, 'export', '--format', format);
          expect(first).toMatchObject({ code: 0, err: '' });
          const taken = await transfer.pipe(other, first.out, 'import', '-', '--format', format, '--apply');
          expect(taken).toMatchObject({ code: 0 });
          expect(await transfer.run(other, 'export', '--format', format)).toEqual(first);
          const values = `select identifier, scope_key, collector, fetcher, last_processed_timestamp::text, active,
          scope_activation_toggle_date::text from cloudkitty_storage_states order by 1, 2, 3, 4`;
          expect(await other.query(values)).toEqual(await one.query(values));
        }),
        { numRuns: scaled(20, 3), endOnFailure: true },
      );
    },
    propertyMillis,
  );
});

const someRows = [
  { u: ['b', 'k', 'gnocchi', 'keystone'], at: '2026-01-02 00:00:00.5', active: true, toggled: '2025-01-01' },
  { u: ['a', null, null, null], at: '2026-01-01', active: false, toggled: '2025-01-01' },
  { u: ['b', null, 'monasca', null], at: '2026-01-03', active: true, toggled: '2025-01-01' },
];

test('is sorted by unit, NULLs first, in the API’s form', async () => {
  await insert(from, someRows);
  expect(await transfer.run(from, 'export')).toEqual({
    code: 0,
    err: '',
    out: [
      header,
      'a,,,,2026-01-01T00:00:00Z,false,2025-01-01T00:00:00Z',
      'b,,monasca,,2026-01-03T00:00:00Z,true,2025-01-01T00:00:00Z',
      'b,k,gnocchi,keystone,2026-01-02T00:00:00.5Z,true,2025-01-01T00:00:00Z',
      '',
    ].join('\n'),
  });
});

test.each([
  { words: ['--scope-id', 'a', '--scope-id', 'b', '--scope-key', 'k'], found: 1 },
  { words: ['--collector', 'monasca'], found: 1 },
  { words: ['--fetcher', 'keystone'], found: 1 },
  { words: ['--scope-id-prefix', 'b'], found: 2 },
  { words: ['--active', 'false'], found: 1 },
  { words: ['--legacy', 'true'], found: 1 },
  { words: ['--legacy', 'false'], found: 2 },
  { words: ['--processed-before', '2026-01-02T00:00:00Z'], found: 1 },
  { words: ['--processed-since', '2026-01-03T00:00:00Z'], found: 1 },
])('$words filters as the API does', async ({ words, found }) => {
  await insert(from, someRows);
  const { code, out } = await transfer.run(from, 'export', '--format', 'ndjson', ...words);
  expect({ code, found: out.split('\n').length - 1 }).toEqual({ code: 0, found });
});

test.each([
  ['--scope-id', ''],
  ['--processed-since', 'yesterday'],
  ['--active', 'perhaps'],
  ['--format', 'xml'],
])('%s %j is refused with 2', async (...words) => {
  expect(await transfer.run(from, 'export', ...words)).toEqual({
    code: 2,
    out: '',
    err: expect.stringMatching(/^error: [^\n]+\n$/),
  });
});

test('a file is written whole, packed where its name says so, and nothing is left beside it', async () => {
  await insert(from, someRows);
  const { code } = await transfer.run(from, 'export', '--output', transfer.path('out.tsv.gz'));
  expect(code).toBe(0);
  expect(gunzipSync(readFileSync(transfer.path('out.tsv.gz'))).toString()).toMatch(/^scopeId\tscopeKey\t/);
  expect((await transfer.run(from, 'export', '--output', '/proc/nothing/out.csv')).err).toMatch(
    /^scopestate: can't write [^\n]+\n$/,
  );
  expect((await readdir(transfer.folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('it is one moment’s, while others go on writing', async () => {
  await from.query(`insert into cloudkitty_storage_states (identifier, last_processed_timestamp)
    select 's' || n, '2020-01-01' from generate_series(1, 30000) n`);
  const child = transfer.start(from, 'export', '--format', 'ndjson');
  const [first] = (await once(child.stdout, 'data')) as [Buffer];
  child.stdout.pause(); // the pipe is full now, and most rows are yet to come
  await from.query(
    `update cloudkitty_storage_states set last_processed_timestamp = '2021-01-01', version = version + 1`,
  );
  await from.query(`delete from cloudkitty_storage_states where identifier > 's3'`);
  let out = first.toString();
  for await (const chunk of child.stdout) out += String(chunk);
  expect(out.match(/2020-01-01/g)).toHaveLength(30_000);
  expect(out).not.toContain('2021-01-01');
});

test('a reader that has seen enough is no fault', async () => {
  await from.query(`insert into cloudkitty_storage_states (identifier, last_processed_timestamp)
    select 's' || n, '2020-01-01' from generate_series(1, 30000) n`);
  const child = transfer.start(from, 'export');
  await once(child.stdout, 'data');
  child.stdout.destroy();
  let err = '';
  child.stderr.on('data', (text) => (err += String(text)));
  const [code] = (await once(child, 'close')) as [number];
  expect({ code, err }).toEqual({ code: 0, err: '' });
});

test('a CloudKitty table is imported straight from its PostgreSQL, but for a state in the future', async () => {
  const source = await transfer.database({ dump: 'legacy-initial.sql' });
  const secret = await transfer.file('url', `${source.url}\n`);
  const { code, out } = await transfer.run(from, 'import', '--source-url-file', secret, '--apply');
  expect({ code, numbers: numbersIn(out) }).toMatchObject({ code: 1, numbers: { inserted: 9, rejected: 1 } });
  const states = await source.query(
    `select identifier, state::text as at from cloudkitty_storage_states where state < now() order by 1`,
  );
  const imported = await from.query(
    'select identifier, last_processed_timestamp::text as at from cloudkitty_storage_states order by 1',
  );
  expect(imported).toEqual(states);
  const before = await rowsOf(from);
  const again = await transfer.run(from, 'import', source.url, '--apply');
  expect(numbersIn(again.out)).toMatchObject({ inserted: 0, updated: 0, unchanged: 9 });
  expect((await rowsOf(from)).map(versionOf)).toEqual(before.map(versionOf));
});

/** A lock is written into a row's header, which is no change of the row. */
const versionOf = ({ row }: { row: string }) => row.slice(row.indexOf(' '));

const emptyTexts = { u: ['EE', '', '', ''], at: '2026-01-01', active: true, toggled: '2025-01-01' };

describe('a row of empty texts, which another program wrote, becomes no legacy row', () => {
  let other: TestDatabase;
  beforeAll(async () => {
    other = await transfer.database();
  });
  beforeEach(() => insert(from, [emptyTexts, ...someRows]));
  afterEach(() => other.query('delete from cloudkitty_storage_states'));

  /** All but that row have come over as they are. */
  async function expectRefused({ code, out }: { code: number | null; out: string }): Promise<void> {
    expect({ code, numbers: numbersIn(out) }).toMatchObject({
      code: 1,
      numbers: { inserted: 3, rejected: 1 },
    });
    expect(out).toMatch(/scopeKey: found an empty text; allowed: 1 to 40 characters, or NULL/);
    const units = `select identifier, scope_key, collector, fetcher from cloudkitty_storage_states
      where identifier %s 'EE' order by 1, 2, 3, 4`;
    expect(await other.query(units.replace('%s', '='))).toEqual([]);
    expect(await other.query(units.replace('%s', '<>'))).toEqual(await from.query(units.replace('%s', '<>')));
  }

  test.each(formats)('through %s', async (format) => {
    const { out } = await transfer.run(from, 'export', '--format', format);
    await expectRefused(await transfer.pipe(other, out, 'import', '-', '--format', format, '--apply'));
  });

  test('straight from a database', async () => {
    await expectRefused(await transfer.run(other, 'import', from.url, '--apply'));
  });
});

test('a source without the table, and one that refuses the password, are one line each', async () => {
  const empty = await transfer.database({ empty: true });
  const wrong = new URL(empty.url);
  wrong.password = 'hunter2';
  for (const [url, why] of [
    [empty.url, 'it has no table cloudkitty_storage_states'],
    [wrong.href, 'password'],
  ]) {
    const { code, err } = await transfer.run(from, 'import', url!);
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(
        new RegExp(`^scopestate: can't read postgresql://[^\\n]*${why}[^\\n]*; nothing was changed\\n$`),
      ),
    });
    expect(err).not.toContain('hunter2');
  }
});

describe('what --output names stays what it is:', () => {
  test('a link, and the mode of the file that it leads to', async () => {
    const path = await transfer.file('real.csv', 'old');
    await chmod(path, 0o600);
    await symlink(path, `${path}.link`);
    expect((await transfer.run(from, 'export', '--output', `${path}.link`)).code).toBe(0);
    expect((await lstat(`${path}.link`)).isSymbolicLink()).toBe(true);
    expect(((await stat(path)).mode & 0o777).toString(8)).toBe('600');
    expect(await readFile(path, 'utf8')).toMatch(/^scopeId,/);
  });

  test('a pipe, whose reader gets it', async () => {
    const path = `${await transfer.file('pipe.csv', '')}.fifo`;
    execFileSync('mkfifo', [path]);
    const [{ code }, read] = await Promise.all([
      transfer.run(from, 'export', '--format', 'csv', '--output', path),
      readFile(path, 'utf8'),
    ]);
    expect([code, read]).toEqual([0, expect.stringMatching(/^scopeId,/)]);
    expect((await stat(path)).isFIFO()).toBe(true);
  });

  test('-, which is standard output', async () => {
    expect(await transfer.run(from, 'export', '--output', '-')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^scopeId,/),
    });
  });
});
