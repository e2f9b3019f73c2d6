import { BadField } from './bad-field.rules.js';

/** What stands between the fields of a line: CSV's and TSV's are read and written alike (RFC 4180). */
export type Delimiter = ',' | '\t';

/** An empty field is null, a quoted empty one is the empty text. */
export type Field = string | null;

/** @throws BadField for a line whose quotes don't fit */
export function splitLine(line: string, delimiter: Delimiter): Field[] {
  if (!line.includes('"')) return line.split(delimiter).map(unquoted);
  const fields: Field[] = [];
  for (let start = 0; ;) {
    const end = endOfField(line, start, delimiter);
    const field = line.slice(start, end);
    fields.push(field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : unquoted(field));
    if (end === line.length) return fields;
    start = end + 1;
  }
}

/** Quotes only what would be read as something else. */
export function joinLine(fields: readonly Field[], delimiter: Delimiter): string {
  return fields
    .map((field) => {
      if (field === null) return '';
      const needsQuotes = field === '' || field.includes(delimiter) || /["\r\n]/.test(field);
      return needsQuotes ? `"${field.replaceAll('"', '""')}"` : field;
    })
    .join(delimiter);
}

function unquoted(field: string): Field {
  return field === '' ? null : field;
}

/** A quote inside a field that does not begin with one stands for itself. */
function endOfField(line: string, start: number, delimiter: Delimiter): number {
  if (line[start] !== '"') return placeOrEnd(line, delimiter, start);
  let quote = line.indexOf('"', start + 1);
  while (quote >= 0 && line[quote + 1] === '"') quote = line.indexOf('"', quote + 2);
  if (quote < 0) throw new BadField('', 'a quote is opened and not closed');
  const end = quote + 1;
  if (end < line.length && line[end] !== delimiter) {
    throw new BadField('', `a text goes on behind its closing quote, at character ${end + 1}`);
  }
  return end;
}

function placeOrEnd(line: string, text: string, from: number): number {
  const place = line.indexOf(text, from);
  return place < 0 ? line.length : place;
}
