import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import type { Unit } from '../support/units.js';

export type Language = 'TypeScript' | 'Python';

const programs = {
  TypeScript: {
    command: process.execPath,
    file: 'examples/collector.ts',
    expected: 'period.start, expected',
  },
  Python: { command: 'python3', file: 'examples/collector.py', expected: ', "expected": expected' },
};

/** A machine without Python skips its tests, and runs all others. */
export function isThere(language: Language): boolean {
  return spawnSync(programs[language].command, ['--version']).status === 0;
}

export interface CollectorWanted {
  readonly language: Language;
  readonly url: string;
  readonly folder: string;
  readonly units: Unit[];
  /** another file than the example */
  readonly file?: string;
}

export interface Collector {
  /** its exit code, what it printed, and what it said on standard error */
  readonly ended: Promise<{ code: number | null; printed: string; said: string }>;
  /** the beginning of what it says on standard error */
  readonly firstSaid: Promise<string>;
  kill(): Promise<void>;
}

/** Runs an example until nothing is due; all collectors of a folder share one rating store. */
export function startCollector({ language, url, folder, units, file }: CollectorWanted): Collector {
  const program = programs[language];
  const unitsFile = join(folder, `units-${randomUUID()}.json`);
  writeFileSync(unitsFile, JSON.stringify(units));
  const settings = ['--url', url, '--ratings', join(folder, 'ratings.sqlite'), '--units', unitsFile];
  const child = spawn(program.command, [file ?? program.file, '--until-idle', ...settings], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  const firstSaid = once(child.stderr, 'data').then(([chunk]) => String(chunk));
  const [printed, said] = [text(child.stdout), text(child.stderr)];
  const ended = once(child, 'close').then(async ([code]) => ({
    code: code as number | null,
    printed: await printed,
    said: await said,
  }));
  return {
    ended,
    firstSaid,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Runs an example with these arguments alone. */
export function runExample(language: Language, args: string[]) {
  const { command, file } = programs[language];
  const { status, stdout, stderr } = spawnSync(command, [file, ...args], { encoding: 'utf8' });
  return { code: status, printed: stdout, said: stderr };
}

/** A copy of the example whose advances say nothing of what they expect. */
export async function copyWithoutExpected(language: Language, folder: string): Promise<string> {
  const { file, expected } = programs[language];
  const source = await readFile(file, 'utf8');
  const parts = source.split(expected);
  if (parts.length !== 2)
    throw new Error(`${file}: found ${JSON.stringify(expected)} ${parts.length - 1} times`);
  const client = pathToFileURL('dist/client/client.js').href; // a file out there has no package to refer to itself
  const copy = join(folder, `without-expected.${file.split('.').at(-1)}`);
  await writeFile(
    copy,
    parts.join(language === 'TypeScript' ? 'period.start' : '').replace("'scopestate/client'", `'${client}'`),
  );
  return copy;
}

export interface Rating {
  readonly start: string;
  readonly end: string;
}

/** What was rated for a unit, in the order of time. */
export function ratingsOf(folder: string, { scopeId, scopeKey, collector, fetcher }: Unit): Rating[] {
  const store = new DatabaseSync(join(folder, 'ratings.sqlite'), { readOnly: true, timeout: 60_000 });
  const rows = store
    .prepare(
      `select period_start as start, period_end as end from rating
       where scope_id = ? and scope_key = ? and collector = ? and fetcher = ?`,
    )
    .all(scopeId, scopeKey, collector, fetcher) as unknown as Rating[];
  store.close();
  return rows.toSorted((a, b) => Temporal.Instant.compare(a.start, b.start));
}

/** What an operator does with the ratings of a state that is reset. */
export function deleteRatings(folder: string, scopeId: string): void {
  const store = new DatabaseSync(join(folder, 'ratings.sqlite'), { timeout: 60_000 });
  store.prepare('delete from rating where scope_id = ?').run(scopeId);
  store.close();
}
