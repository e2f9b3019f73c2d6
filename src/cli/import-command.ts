import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { OperatorError, OutcomeUnknown } from '../fault.js';
import { onConflictChoices, type OnConflict } from '../transfer/conflict.rules.js';
import { openDatabaseSource } from '../transfer/database-source.js';
import { openFileSource } from '../transfer/file-source.js';
import { formatOf, formats, type Format } from '../transfer/format.rules.js';
import { ImportRepository } from '../transfer/import.repository.js';
import { ImportService } from '../transfer/import.service.js';
import { openMysqlTable } from '../transfer/mysql-table.js';
import { openPostgresTable } from '../transfer/postgres-table.js';
import { RejectsFile } from '../transfer/rejects-file.js';
import type { Source } from '../transfer/source.js';
import { looksLikeUrl, parseSourceUrl, sourceUrlRule, type SourceUrl } from '../transfer/source-url.rules.js';
import { withStates } from './database-as-it-is.js';
import { describeImport } from './import-summary.js';
import { Progress } from './progress.js';
import { inThousands } from './progress.rules.js';
import { stopSignal } from './stop-signal.js';

const helpText = `
A file's columns: scopeId, scopeKey, collector, fetcher, lastProcessedTimestamp, active, scopeActivationToggleDate, in any
order; CloudKitty's names are taken too. Only scopeId and lastProcessedTimestamp are needed. Times without a zone are UTC.
An empty field is a NULL; a quoted one ("") is an empty text, which no scope key, collector or fetcher is.

A conflict is a unit that is stored with other values, or that two lines give other values. What the input leaves out is
not compared. --on-conflict:
  fail           list them and change nothing
  skip           what is stored stays; of two lines the first is taken
  keep-latest    the later state is taken, with its flag and toggle date; of equal states the flag that was set later
  keep-earliest  the earlier state is taken; of equal states the flag that was set later

A line that can't be taken goes to the rejects file, and the others are imported. All happens in one transaction.
Exit codes: 0 done, 1 something was rejected, in conflict or failed, 2 the command line is wrong.`;

interface Options {
  sourceUrlFile?: string;
  format?: Format;
  apply?: true;
  onConflict: OnConflict;
  rejects?: string;
}

/** Opens nothing before the command line is known to be right. */
interface SourceWanted {
  open: (signal: AbortSignal) => Promise<Source>;
  rejectsPath: string;
}

export function addImportCommand(program: Command): void {
  const command = program
    .command('import')
    .description(
      'Take states from a file, standard input or a CloudKitty database; a dry run unless --apply is said.',
    )
    .argument('[source]', `a path, - for standard input, or ${sourceUrlRule}`)
    .option('--source-url-file <file>', 'a file that holds the URL: ps shows passwords of command lines')
    .addOption(new Option('--format <format>', 'of a file; by its name unless said').choices(formats))
    .option('--apply', 'change the database; without it only say what would be changed')
    .addOption(
      new Option('--on-conflict <rule>', 'which values stay: see below')
        .choices(onConflictChoices)
        .default('fail'),
    )
    .option('--rejects <file>', 'where lines go that can’t be taken (default: <source>.rejects.csv)')
    .addHelpText('after', helpText);
  command.action(async (given: string | undefined, options: Options) => {
    const wanted = sourceOf(given, options, (message) => command.error(message, { exitCode: 2 }));
    const signal = stopSignal();
    try {
      await withStates(({ pool }) =>
        run(new ImportService(new ImportRepository(pool)), wanted, options, signal),
      );
    } catch (error) {
      throw asTold(error, signal);
    }
  });
}

async function run(
  service: ImportService,
  { open, rejectsPath }: SourceWanted,
  { apply, onConflict }: Options,
  signal: AbortSignal,
): Promise<void> {
  const source = await open(signal);
  const rejects = new RejectsFile(rejectsPath, source.name);
  const progress = new Progress();
  // Who waits for rows that don't come hears of it as well.
  signal.addEventListener('abort', () => void source.close());
  try {
    signal.throwIfAborted();
    const summary = await service.run({
      source,
      rejects,
      onConflict,
      apply: apply === true,
      signal,
      onRead: (rows, position) => progress.update(rows, position),
      onMerge: (rows) =>
        progress.say(`${inThousands(rows)} rows are read; comparing them with what is stored …`),
    });
    const ignored = [...source.ignored];
    if (ignored.length > 0) print(`ignored columns: ${ignored.join(', ')}`);
    describeImport({ summary, source: source.name, onConflict, rejectsPath }).forEach(print);
    if (summary.rejected > 0 || (onConflict === 'fail' && summary.conflicts > 0)) process.exitCode = 1;
  } finally {
    progress.end();
    await rejects.close();
    await source.close();
  }
}

/** Where to read, and where to put what can't be taken; `misused` does not come back. */
function sourceOf(
  given: string | undefined,
  { sourceUrlFile, format, rejects }: Options,
  misused: (message: string) => never,
): SourceWanted {
  if ((given === undefined) === (sourceUrlFile === undefined)) {
    return misused('error: name one source: a path, -, a URL, or --source-url-file FILE');
  }
  const text = given ?? readUrlFile(sourceUrlFile!);
  if (given === undefined || looksLikeUrl(text)) {
    const url = parseSourceUrl(text);
    if (url === undefined) return misused(`error: the source's URL can't be read; allowed: ${sourceUrlRule}`);
    return { open: () => openUrl(url), rejectsPath: rejects ?? 'scopestate-import.rejects.csv' };
  }
  const fileFormat = format ?? formatOf(text);
  if (fileFormat === undefined) {
    return misused(
      `error: the name of the source does not say its format: say --format ${formats.join(', ')}`,
    );
  }
  const rejectsPath = rejects ?? (text === '-' ? 'scopestate-import' : text) + '.rejects.csv';
  if (resolve(rejectsPath) === resolve(text)) return misused('error: --rejects names the source itself');
  return { open: (signal) => openFileSource(text, fileFormat, signal), rejectsPath };
}

function openUrl({ kind, url, name }: SourceUrl): Promise<Source> {
  return openDatabaseSource(name, () => (kind === 'mysql' ? openMysqlTable(url) : openPostgresTable(url)));
}

function readUrlFile(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new OperatorError(`can't read ${path} (${(error as NodeJS.ErrnoException).code})`, {
      cause: error,
    });
  }
}

/** In one line: what was in the way, and that nothing has happened. */
function asTold(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof OutcomeUnknown) {
    return new OperatorError(`${error.message}: run the import again; what is there already is not changed`);
  }
  if (signal.aborted) return new OperatorError(`stopped by ${String(signal.reason)}; nothing was changed`);
  return error instanceof OperatorError ? new OperatorError(`${error.message}; nothing was changed`) : error;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
