import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { OperatorError } from './fault.js';

/** What a file `.env` in the working folder sets; nothing where there is none. */
export function readDotEnv(): Record<string, string | undefined> {
  try {
    return parseEnv(readFileSync('.env', 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return {};
    throw new OperatorError(`the file .env can't be read (${code}): correct it, or remove it`, {
      cause: error,
    });
  }
}
