import { Option, type Command } from 'commander';
import { readConfig } from '../config.js';
import { migrationStatus, refuseNewerSchema, type MigrateOptions } from '../database/migrate.js';
import { createLog } from '../log.js';
import { openStorage, type Storage } from '../storage.js';
import { withDatabaseAsItIs } from './database-as-it-is.js';

export function addMigrateCommand(program: Command): void {
  const migrate = program.command('migrate').description('Bring the database to the schema of this version.');
  migrate
    .command('up')
    .description('Apply what is pending, all in one transaction; a database of CloudKitty’s is taken over.')
    .addOption(
      new Option('--on-duplicate <rule>', 'which state stays where several rows stand for one unit').choices([
        'keep-earliest',
        'keep-latest',
      ]),
    )
    .action((options: MigrateOptions) =>
      withStorage(async (storage) => {
        const { applied, dropped } = await storage.migrate(options);
        for (const row of dropped) print(`dropped   ${row}`);
        for (const name of applied) print(`applied   ${name}`);
        print(applied.length > 0 ? `${applied.length} migrations applied.` : 'Nothing is pending.');
      }),
    );
  migrate
    .command('status')
    .description('Say what is applied and what is pending; changes nothing.')
    .action(() =>
      withDatabaseAsItIs(async (database) => {
        const status = await migrationStatus(database);
        for (const name of status.executed) print(`applied   ${name}`);
        for (const name of status.pending) print(`pending   ${name}`);
        refuseNewerSchema(status);
        print(`${status.executed.length} applied, ${status.pending.length} pending.`);
      }, printAll),
    );
}

async function withStorage(work: (storage: Storage) => Promise<void>): Promise<void> {
  const config = readConfig();
  const storage = await openStorage(config, createLog(config.logLevel));
  try {
    await work(storage);
  } finally {
    await storage.close();
  }
}

function printAll(lines: string[]): void {
  for (const line of lines) print(line);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
