import { OperatorError } from '../fault.js';
import type { BadField } from './bad-field.rules.js';
import type { Fields } from './columns.rules.js';

export interface SourceRow {
  /** of a file, counted from 1; of a database, the row's place */
  readonly line: number;
  /** as it stands in a file; a database has no such thing */
  readonly text?: string;
  /** what it says, or why it can't be read */
  readonly content: Fields | BadField;
}

/** How far it has been read: bytes of a file, rows of a database; a pipe's end is not known. */
export interface Position {
  readonly done: number;
  readonly total: number | undefined;
}

/** Where states are imported from. */
export interface Source {
  /** for messages; a password is no part of it */
  readonly name: string;
  /** columns that import does not take, as far as they have been seen */
  readonly ignored: Iterable<string>;
  readonly position: Position;
  /** the rows, in their order, some at a time; can be read once */
  rows(): AsyncIterable<SourceRow[]>;
  close(): Promise<void>;
}

/** One line, without the password: drivers name the user and the host only. */
export function unreadable(name: string, error: unknown): OperatorError {
  if (error instanceof OperatorError) return error;
  const { message, code } = error as NodeJS.ErrnoException;
  const why = (message || String(code)).replaceAll(/\s*\n\s*/g, ' '); // several addresses tried: only a code
  return new OperatorError(`can't read ${name}: ${why}`, { cause: error });
}
