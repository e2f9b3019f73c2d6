import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { refusedRightOf } from '../database/faults.js';
import { OperatorError, SettingsError, Unavailable } from '../fault.js';
import { escapeForPeople } from '../log-text.rules.js';
import { addDemoCommand } from './demo-command.js';
import { addDoctorCommand } from './doctor-command.js';
import { addExportCommand } from './export-command.js';
import { addHistoryCommand } from './history-command.js';
import { addImportCommand } from './import-command.js';
import { addMigrateCommand } from './migrate-command.js';
import { addSchemaCommand } from './schema-command.js';
import { addServeCommand } from './serve-command.js';
import { addTokenCommand } from './token-command.js';

const exitCodes = { failed: 1, misused: 2 } as const;

/**
 * Runs what the command line says. Exit codes: 0 done, 1 failed, 2 the command line is wrong. The API is loaded by those
 * commands alone that serve it: it is most of the program's memory and of its start.
 */
export async function runCommand(argv: string[]): Promise<void> {
  const program = new Command('scopestate')
    .description('A rating-state server: how far each collection unit has been rated, served over GraphQL.')
    .version(ownVersion())
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      outputError: (text, write) => write(`${escapeForPeople(text.trim().replaceAll('\n', ' '))}\n`),
    })
    .addHelpText(
      'after',
      '\nSettings are environment variables, also read from a file .env: see .env.example.',
    );
  addServeCommand(program);
  addMigrateCommand(program);
  addDoctorCommand(program);
  addImportCommand(program);
  addExportCommand(program);
  addHistoryCommand(program);
  addTokenCommand(program);
  addSchemaCommand(program);
  addDemoCommand(program);
  process.stdout.on('error', endAtOnce);
  try {
    await program.parseAsync(argv);
  } catch (error) {
    process.exitCode = report(error);
  }
}

function ownVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** A reader that has seen enough, such as `head`, is no fault. */
function endAtOnce(error: NodeJS.ErrnoException): void {
  if (process.stdout.listenerCount('error') > 1) return; // whoever listens as well ends, and lets go of its database
  process.exit(error.code === 'EPIPE' ? 0 : report(error));
}

/** One line a mistake, and no stack trace but for what is our own fault. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.misused; // it has said why
  if (error instanceof SettingsError) error.faults.forEach(say);
  else if (error instanceof OperatorError) say(error.message);
  else if (refusedRightOf(error)) {
    say(
      `the database user lacks a right: ${refusedRightOf(error)!.message}; the DATABASE_URL of the owner has all`,
    );
  } else if ((error as NodeJS.ErrnoException).syscall === 'write') {
    say(`what is said can't be written: ${(error as Error).message}`);
  } else if (error instanceof Unavailable) {
    say(`the database can't be used now${causeOf(error)}; "scopestate doctor" says what is wrong`);
  } else {
    say(`this should not have happened: ${error instanceof Error ? error.stack : String(error)}`);
  }
  return exitCodes.failed;
}

function say(text: string): void {
  process.stderr.write(`scopestate: ${escapeForPeople(text)}\n`);
}

/** What the driver said: it names the host and port that were tried, and no password. */
function causeOf(error: Error): string {
  const { cause } = error;
  if (!(cause instanceof Error)) return '';
  return ` (${cause.message || String(Reflect.get(cause, 'code'))})`; // several addresses tried: only a code
}
