import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { OperatorError } from './fault.js';

/** What a file `.env` in the working folder sets; nothing where there is none. */
export function readDotEnv(): Record<string, string | undefined> {
  let text: string;
  try {
    text = readFileSync('.env', 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return {};
    throw new OperatorError(`the file .env can't be read (${code}): correct it, or remove it`, {
      cause: error,
    });
  }
  requireAssignments(text);
  return parseEnv(text);
}

/** A line that sets nothing would be passed over, and with it what its writer relies on. It may hold a secret: only its number is told. */
function requireAssignments(text: string): void {
  let quote: string | undefined;
  for (const [place, line] of text.split(/\r?\n/).entries()) {
    if (quote !== undefined) {
      if (line.includes(quote)) quote = undefined;
      continue;
    }
    if (/^\s*(#|$)/.test(line)) continue;
    const [, value] = /^\s*(?:export\s+)?[\w.-]+\s*=\s*(.*)$/.exec(line) ?? [];
    if (value === undefined) {
      throw new OperatorError(
        `.env, line ${place + 1}: found no setting; allowed: NAME=value, or # and a remark`,
      );
    }
    const [, begun, rest] = /^(["'`])(.*)$/.exec(value) ?? [];
    if (begun !== undefined && !rest!.includes(begun)) quote = begun;
  }
}
