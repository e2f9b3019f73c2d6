import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { BadInput } from '../fault.js';
import type { ScopeStateFilter } from '../scope-state/filter.rules.js';
import { checkFilter } from '../scope-state/filter.rules.js';
import { parseInstant } from '../time/instant.js';
import { ExportRepository } from '../transfer/export.repository.js';
import { ExportService } from '../transfer/export.service.js';
import { formatOf, formats, type Format } from '../transfer/format.rules.js';
import { writeWhole } from '../transfer/output-file.js';
import { withStates } from './database-as-it-is.js';
import { Progress } from './progress.js';
import { stopSignal } from './stop-signal.js';

const helpText = `
What is written is what import reads: the states of one moment, sorted by unit, while others go on writing. Options of the
same name are ORed, others ANDed, as in the API's filter.`;

interface Options {
  format?: Format;
  output?: string;
  gzip?: true;
  scopeId?: string[];
  scopeKey?: string[];
  collector?: string[];
  fetcher?: string[];
  scopeIdPrefix?: string;
  active?: 'true' | 'false';
  legacy?: 'true' | 'false';
  processedBefore?: Temporal.Instant;
  processedSince?: Temporal.Instant;
}

export function addExportCommand(program: Command): void {
  const command = program
    .command('export')
    .description('Write states to a file or to standard output, as import reads them.')
    .addOption(new Option('--format <format>', 'by the file’s name unless said; else csv').choices(formats))
    .option('--output <file>', 'replaced as a whole when all is written; - or without it: standard output')
    .option('--gzip', 'pack it; also where the file’s name ends in .gz')
    .option('--scope-id <id>', 'of this scope (repeatable)', collect)
    .option('--scope-key <key>', 'with this scope key (repeatable)', collect)
    .option('--collector <name>', 'of this collector (repeatable)', collect)
    .option('--fetcher <name>', 'of this fetcher (repeatable)', collect)
    .option('--scope-id-prefix <text>', 'of scopes whose id begins so')
    .addOption(
      new Option('--active <flag>', 'only active ones, or only inactive ones').choices(['true', 'false']),
    )
    .addOption(new Option('--legacy <flag>', 'only legacy rows, or none of them').choices(['true', 'false']))
    .option('--processed-before <time>', 'whose state is earlier than this', instant)
    .option('--processed-since <time>', 'whose state is this or later', instant)
    .addHelpText('after', helpText);
  command.action(async (options: Options) => {
    const filter = filterOf(options);
    try {
      checkFilter(filter, 'filter');
    } catch (error) {
      if (error instanceof BadInput) command.error(`error: ${error.message}`, { exitCode: 2 });
      throw error;
    }
    const signal = stopSignal();
    await withStates(({ pool }) =>
      run(new ExportService(new ExportRepository(pool)), filter, options, signal),
    );
  });
}

async function run(service: ExportService, filter: ScopeStateFilter, options: Options, signal: AbortSignal) {
  const output = options.output === '-' ? undefined : options.output;
  const format = options.format ?? (output === undefined ? undefined : formatOf(output)) ?? 'csv';
  const isPacked = options.gzip === true || output?.endsWith('.gz') === true;
  const progress = new Progress();
  let count = 0;
  const chunks = service.chunks(filter, format, (rows) => {
    count = rows;
    progress.update(rows);
  });
  const write = async (target: Writable, end: boolean) => {
    const text = Readable.from(chunks, { objectMode: false });
    if (isPacked) await pipeline(text, createGzip(), target, { signal, end });
    else await pipeline(text, target, { signal, end });
  };
  try {
    if (output !== undefined) {
      await writeWhole(output, (file) => write(file, true));
      progress.say(`${count} states exported to ${output}`);
    } else await write(process.stdout, false);
  } catch (error) {
    if (signal.aborted)
      process.exitCode = 1; // whoever sent the signal knows why
    else if (!hasLeft(error)) throw error;
  } finally {
    progress.end();
  }
}

/** A reader that has seen enough, such as `head`, is no fault. */
function hasLeft(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EPIPE';
}

function filterOf(options: Options): ScopeStateFilter {
  const flag = (value: 'true' | 'false' | undefined) => value && value === 'true';
  return {
    scopeIds: options.scopeId,
    scopeKeys: options.scopeKey,
    collectors: options.collector,
    fetchers: options.fetcher,
    scopeIdPrefix: options.scopeIdPrefix,
    active: flag(options.active),
    legacy: flag(options.legacy),
    processedBefore: options.processedBefore,
    processedSince: options.processedSince,
  };
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

function instant(text: string): Temporal.Instant {
  try {
    return parseInstant(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
