import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BadField } from '../../src/transfer/bad-field.rules.js';
import { layoutOf } from '../../src/transfer/columns.rules.js';
import { joinLine, splitLine } from '../../src/transfer/delimited.rules.js';
import { formatOf, ndjsonDecoder } from '../../src/transfer/format.rules.js';
import { importRowOf } from '../../src/transfer/import-row.rules.js';
import { parseSourceUrl } from '../../src/transfer/source-url.rules.js';
import { formatInstant } from '../../src/time/instant.js';

test.each([',', '\t'] as const)('whatever is joined by %j is split again', (delimiter) => {
  const field = fc.oneof(
    fc.constantFrom(null, ''),
    fc.string(),
    fc.string({ unit: fc.constantFrom('"', ',', '\t', 'a', ' ') }),
  );
  fc.assert(
    fc.property(fc.array(field, { minLength: 1 }), (fields) => {
      expect(splitLine(joinLine(fields, delimiter), delimiter)).toEqual(fields);
    }),
  );
});

test('an empty field is null, a quoted empty one the empty text', () => {
  expect(splitLine('a,,"",', ',')).toEqual(['a', null, '', null]);
  expect(splitLine('a,,', ',')).toEqual(['a', null, null]);
});

test.each(['"a', 'a,"b', '"a"b,c', '"a""'])('quotes that do not fit are refused: %s', (line) => {
  expect(() => splitLine(line, ',')).toThrow(BadField);
});

test.each([
  ['a.csv', 'csv'],
  ['a.TSV.gz', 'tsv'],
  ['/x/a.jsonl', 'ndjson'],
  ['a.ndjson.gz', 'ndjson'],
  ['a.csv.bak', undefined],
  ['csv', undefined],
])('the name %s says %s', (path, format) => {
  expect(formatOf(path)).toBe(format);
});

describe('columns', () => {
  test("CloudKitty's names are taken, in any order, others are named", () => {
    expect(layoutOf(['id', 'state', 'identifier'], 'x')).toEqual({
      places: [undefined, 'lastProcessedTimestamp', 'scopeId'],
      ignored: ['id'],
    });
  });
  test.each([[['scopeId']], [['state']], [['scopeId', 'identifier', 'state']]])('%j is refused', (names) => {
    expect(() => layoutOf(names, 'x')).toThrow(/^x: [^\n]+$/);
  });
  test('of NDJSON, two names of one column are a bad line', () => {
    expect(() => ndjsonDecoder().decode('{"scopeId":"a","identifier":"b"}')).toThrow(BadField);
  });
});

describe('empty texts', () => {
  const time = '2026-01-01T00:00:00Z';
  test.each(['scopeKey', 'collector', 'fetcher'] as const)('are refused as %s', (column) => {
    expect(() => importRowOf({ scopeId: 'a', lastProcessedTimestamp: time, [column]: '' })).toThrow(
      new BadField(
        column,
        'found an empty text; allowed: 1 to 40 characters, or NULL (in CSV and TSV: an empty field without quotes)',
      ),
    );
  });
  test('are refused as scope id', () => {
    expect(() => importRowOf({ scopeId: '', lastProcessedTimestamp: time })).toThrow(/found an empty text/);
  });
  test('mean "not given" where no text belongs', () => {
    const row = { scopeId: 'a', lastProcessedTimestamp: time, active: '', scopeActivationToggleDate: '' };
    expect(importRowOf(row)).toMatchObject({ active: null, scopeActivationToggleDate: null });
  });
});

describe('times', () => {
  test.each([
    ['2019-02-06 12:00:00.123456', '2019-02-06T12:00:00.123456Z'],
    ['2019-02-06T12:00:00', '2019-02-06T12:00:00Z'],
    ['2019-02-06T12:00:00+01:00', '2019-02-06T11:00:00Z'],
    ['2019-02-06 12:00:00Z', '2019-02-06T12:00:00Z'],
  ])('%s is %s', (given, at) => {
    const row = importRowOf({ scopeId: 'a', lastProcessedTimestamp: given });
    expect(formatInstant(row.lastProcessedTimestamp)).toBe(at);
  });
  test.each(['now', '0000-00-00 00:00:00', '2019-02-30 00:00:00', '2019-02-06', '1969-12-31 23:59:59', 5])(
    '%s is refused',
    (given) => {
      expect(() => importRowOf({ scopeId: 'a', lastProcessedTimestamp: given })).toThrow(BadField);
    },
  );
});

test.each([
  ['mysql+pymysql://u:p%40@h/cloudkitty', 'mysql', 'mysql://h/cloudkitty'],
  ['mariadb://h:3307/c', 'mysql', 'mysql://h:3307/c'],
  ['postgresql+psycopg2://u:secret@h:5432/c', 'postgresql', 'postgresql://h:5432/c'],
])('%s is a %s, named without its password', (text, kind, name) => {
  expect(parseSourceUrl(text)).toMatchObject({ kind, name });
});

test.each(['sqlite:///x', 'http://h/x', 'mysql://h', 'mysql://u:%zz@h/c', 'postgresql://'])(
  '%s is none',
  (text) => {
    expect(parseSourceUrl(text)).toBeUndefined();
  },
);
