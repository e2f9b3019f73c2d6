import { Option, type Command } from 'commander';
import { readConfig } from '../config.js';
import { migrationStatus, refuseNewerSchema, type MigrateOptions } from '../database/migrate.js';
import type { Database } from '../database/database.js';
import { requireFitDatabase } from '../database/requirements.js';
import { openDataFolder } from '../doctor/data-folder.js';
import type { Finding } from '../doctor/finding.js';
import { OperatorError } from '../fault.js';
import { createLog } from '../log.js';
import { openStorage, prepareDatabase, type Storage } from '../storage.js';

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
      }),
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

/** Beside a running server too: through the embedded PostgreSQL that it runs. Makes no database. */
async function withDatabaseAsItIs(work: (database: Database) => Promise<void>): Promise<void> {
  const config = readConfig();
  const log = createLog(config.logLevel);
  const { findings, url, close } = config.databaseUrl
    ? { findings: [], url: config.databaseUrl, close: () => Promise.resolve() }
    : await openDataFolder(config.dataDir);
  try {
    if (url === undefined) return reportNone(findings);
    const database = await prepareDatabase({ url, log });
    try {
      await requireFitDatabase(database.pool);
      await work(database);
    } finally {
      await database.close();
    }
  } finally {
    await close();
  }
}

function reportNone(findings: Finding[]): void {
  const fault = findings.find(({ level }) => level === 'wrong');
  if (fault) throw new OperatorError([fault.found, fault.advice].filter(Boolean).join(': '));
  for (const { found } of findings) print(found);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
