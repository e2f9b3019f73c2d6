import { InvalidArgumentError, Option, type Command } from 'commander';
import { readConfig } from '../config.js';
import type { Database } from '../database/database.js';
import { migrationStatus, refuseNewerSchema, type MigrateOptions } from '../database/migrate.js';
import { survey } from '../doctor/survey.js';
import { createLog } from '../log.js';
import { openStorage } from '../storage.js';
import { formatDuration, parseDuration } from '../time/duration.js';
import { withDatabaseAsItIs } from './database-as-it-is.js';

/** PostgreSQL counts it in milliseconds, in four bytes, and takes zero for "for ever". */
const shortestWait = parseDuration('PT0.001S');
const longestWait = parseDuration('P24D');

export function addMigrateCommand(program: Command): void {
  const migrate = program.command('migrate').description('Bring the database to the schema of this version.');
  migrate
    .command('up')
    .description('Apply what is pending, all in one transaction; a database of CloudKitty’s is taken over.')
    .option('--dry-run', 'do it all, and take it back')
    .addOption(
      new Option('--on-duplicate <rule>', 'which state stays where several rows stand for one unit').choices([
        'keep-earliest',
        'keep-latest',
      ]),
    )
    .addOption(
      new Option(
        '--lock-timeout <duration>',
        'how long to wait for the table while others use it; they wait behind this',
      )
        .argParser(lockTimeout)
        .default(parseDuration('PT10S'), 'PT10S'),
    )
    .action(async (options: MigrateOptions) => {
      for (const line of await migrateUp(options)) print(line);
    });
  migrate
    .command('status')
    .description('Say what is in the database, what is applied and what is pending; changes nothing in it.')
    .action(async () => {
      await withDatabaseAsItIs(
        async (database) => (await status(database)).forEach(print),
        (found) => found.forEach(print),
        { patient: true },
      );
    });
}

async function migrateUp(options: MigrateOptions): Promise<string[]> {
  const config = readConfig();
  const storage = await openStorage(config, createLog(config.logLevel));
  try {
    const { applied, dropped } = await storage.migrate(options);
    const summary = applied.length > 0 ? `${applied.length} migrations applied` : 'Nothing is pending';
    return [
      ...dropped.map((row) => `dropped   ${row}`),
      ...applied.map((name) => `applied   ${name}`),
      options.dryRun && applied.length > 0
        ? `${summary}, and taken back: this was a dry run.`
        : `${summary}.`,
    ];
  } finally {
    await storage.close();
  }
}

async function status(database: Database): Promise<string[]> {
  const found = await migrationStatus(database);
  refuseNewerSchema(found);
  return [
    ...(await readOnly(database)),
    ...found.executed.map((name) => `applied   ${name}`),
    ...found.pending.map((name) => `pending   ${name}`),
    `${found.executed.length} applied, ${found.pending.length} pending.`,
  ];
}

/** One snapshot, in a transaction that can't write. */
async function readOnly({ pool }: Database): Promise<string[]> {
  const client = await pool.connect();
  try {
    await client.query('begin isolation level repeatable read read only');
    return await survey(client);
  } finally {
    client.release(true);
  }
}

function lockTimeout(text: string): Temporal.Duration {
  try {
    const wait = parseDuration(text);
    const isIn = (least: Temporal.Duration, most: Temporal.Duration) =>
      Temporal.Duration.compare(least, most) <= 0;
    if (isIn(shortestWait, wait) && isIn(wait, longestWait)) return wait;
  } catch {
    // said below
  }
  throw new InvalidArgumentError(
    `Allowed: an ISO 8601 duration from ${formatDuration(shortestWait)} to ${formatDuration(longestWait)}, for example PT30S.`,
  );
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
