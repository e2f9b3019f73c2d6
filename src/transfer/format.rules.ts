import { OperatorError, quoted } from '../fault.js';
import { formatInstant } from '../time/instant.js';
import { BadField } from './bad-field.rules.js';
import { columnOf, columns, layoutOf, type Column, type Fields } from './columns.rules.js';
import { joinLine, splitLine, type Delimiter } from './delimited.rules.js';

export const formats = ['csv', 'tsv', 'ndjson'] as const;
export type Format = (typeof formats)[number];

/** By the file's name, `.gz` left aside; undefined when it does not say. */
export function formatOf(path: string): Format | undefined {
  const extension = /\.(csv|tsv|ndjson|jsonl)(?:\.gz)?$/i.exec(path)?.[1]?.toLowerCase();
  return extension === 'jsonl' ? 'ndjson' : formats.find((format) => format === extension);
}

/** What an exported row says. */
export type ExportRow = Readonly<
  Record<'scopeKey' | 'collector' | 'fetcher', string | null> &
    Record<'lastProcessedTimestamp' | 'scopeActivationToggleDate', Temporal.Instant>
> & { readonly scopeId: string; readonly active: boolean };

/** The first line, if the format has one. */
export function headerOf(format: Format): string {
  return format === 'ndjson' ? '' : `${joinLine(columns, delimiters[format])}\n`;
}

/** A row as one line, its end included. An empty text of a foreign writer's is written as one, which import refuses. */
export function encodeRow(row: ExportRow, format: Format): string {
  const values = columns.map((column) => {
    const value = row[column];
    return value instanceof Temporal.Instant ? formatInstant(value) : value;
  });
  if (format === 'ndjson') {
    return `${JSON.stringify(Object.fromEntries(columns.map((column, place) => [column, values[place]])))}\n`;
  }
  return `${joinLine(
    values.map((value) => (value === null ? null : String(value))),
    delimiters[format],
  )}\n`;
}

/** Reads the lines behind the header, if there is one. */
export interface Decoder {
  /** columns that import does not take, as far as they have been seen */
  readonly ignored: Iterable<string>;
  /** @throws BadField for a line that is none of the format's */
  decode(line: string): Fields;
}

/** @throws OperatorError when the header lacks a needed column */
export function delimitedDecoder(header: string, format: 'csv' | 'tsv', source: string): Decoder {
  const delimiter = delimiters[format];
  const { places, ignored } = layoutOf(headerFields(header, delimiter, source), source);
  return {
    ignored,
    decode(line) {
      const values = splitLine(line, delimiter);
      if (values.length !== places.length) {
        throw new BadField('', `it has ${values.length} fields, and the header ${places.length}`);
      }
      return fieldsOf(places, values);
    },
  };
}

/** Every line names its own columns; so many that are not known are told, and no more are kept. */
const mostIgnored = 20;

export function ndjsonDecoder(): Decoder {
  const ignored = new Set<string>();
  return {
    ignored,
    decode(line) {
      const given = parseObject(line);
      const fields: Fields = {};
      for (const [name, value] of Object.entries(given)) {
        const column = columnOf(name);
        if (column === undefined) {
          if (ignored.size < mostIgnored) ignored.add(name);
        } else if (column in fields) throw new BadField(column, 'it is given under two names');
        else fields[column] = value;
      }
      return fields;
    },
  };
}

/** The values by column; those of places that are no column are left out. */
export function fieldsOf(places: readonly (Column | undefined)[], values: readonly unknown[]): Fields {
  const fields: Fields = {};
  places.forEach((column, place) => {
    if (column !== undefined) fields[column] = values[place];
  });
  return fields;
}

const delimiters = { csv: ',', tsv: '\t' } as const satisfies Record<string, Delimiter>;

function headerFields(header: string, delimiter: Delimiter, source: string): string[] {
  try {
    return splitLine(header, delimiter).map((name) => name ?? '');
  } catch (error) {
    if (error instanceof BadField) throw new OperatorError(`${source}: line 1: ${error.message}`);
    throw error;
  }
}

function parseObject(line: string): object {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new BadField('', `it is no JSON: ${(error as Error).message}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new BadField('', `found ${quoted(line)}; allowed: a JSON object`);
}
