import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { quickStart, runCommand, startCommand, type CommandResult } from '../support/command.js';
import { createTestDatabase, type DatabaseWanted, type TestDatabase } from '../support/test-database.js';

export const header =
  'scopeId,scopeKey,collector,fetcher,lastProcessedTimestamp,active,scopeActivationToggleDate';

/** A folder and databases for the tests of a file, and the commands that work on them. */
export class Transfer {
  private constructor(readonly folder: string) {}
  private readonly databases: TestDatabase[] = [];

  static async create(): Promise<Transfer> {
    return new Transfer(await mkdtemp(join(tmpdir(), 'scopestate-transfer-')));
  }

  async database(wanted?: DatabaseWanted): Promise<TestDatabase> {
    const database = await createTestDatabase(wanted);
    this.databases.push(database);
    return database;
  }

  async dispose(): Promise<void> {
    for (const database of this.databases.splice(0)) await database.drop();
    await rm(this.folder, { recursive: true });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async file(name: string, content: string | Buffer): Promise<string> {
    await writeFile(this.path(name), content);
    return this.path(name);
  }

  read(name: string): Promise<string> {
    return readFile(this.path(name), 'utf8');
  }

  run({ url }: TestDatabase, ...words: string[]): Promise<CommandResult> {
    return runCommand(words, this.options(url));
  }

  start({ url }: TestDatabase, ...words: string[]) {
    return startCommand(words, this.options(url));
  }

  /** with this on standard input */
  async pipe({ url }: TestDatabase, input: string | Buffer, ...words: string[]): Promise<CommandResult> {
    const child = spawn(process.execPath, [`${process.cwd()}/dist/main.js`, ...words], this.options(url));
    child.stdin.on('error', () => {}); // it may have ended before it has read all
    child.stdin.end(input);
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return { code: child.exitCode, out, err };
  }

  private options(url: string) {
    return { cwd: this.folder, env: { ...quickStart, DATABASE_URL: url } };
  }
}

/** Every row, with the transaction that wrote it last: equal only if nobody touched it. */
export function rowsOf(database: TestDatabase): Promise<{ row: string }[]> {
  return database.query<{ row: string }>(
    `select concat_ws(' ', s.xmin, s::text) as row from cloudkitty_storage_states s order by s.id`,
  );
}

/** The numbers of a summary, by name. */
export function numbersIn(out: string): Record<string, number> {
  return Object.fromEntries(
    [...out.matchAll(/^([a-z ]+): (\d+)$/gm)].map(([, name, number]) => [name!, Number(number)]),
  );
}
