import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

export interface CommandWanted {
  /** all of its environment */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** another Node.js than the tests' own */
  node?: string;
}

export interface CommandResult {
  code: number | null;
  out: string;
  err: string;
}

const program = `${process.cwd()}/dist/main.js`;

/** A program that a test starts: compiled code is kept from one to the next, of which there are hundreds. */
export const quickStart = {
  NODE_COMPILE_CACHE: join(process.env['SCOPESTATE_TEST_FOLDER']!, 'compiled'),
};

/** Starts `scopestate` with these words, as its users do. */
export function startCommand(
  words: string[],
  { node = process.execPath, ...options }: CommandWanted = {},
): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(node, [program, ...words], {
    ...options,
    env: { ...quickStart, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs `scopestate` with these words to its end. */
export async function runCommand(words: string[], options?: CommandWanted): Promise<CommandResult> {
  const child = startCommand(words, options);
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, out, err };
}

/** Applies all migrations to the database; throws with what was said when that fails. */
export async function migrateUp(url: string): Promise<void> {
  const { code, err } = await runCommand(['migrate', 'up'], { env: { DATABASE_URL: url } });
  if (code !== 0) throw new Error(`migrate up ended with ${code}: ${err}`);
}
