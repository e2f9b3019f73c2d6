import { readConfig } from '../config.js';
import type { Database } from '../database/database.js';
import { migrationStatus, refuseNewerSchema } from '../database/migrate.js';
import { requireFitDatabase } from '../database/requirements.js';
import { openDataFolder } from '../doctor/data-folder.js';
import type { Finding } from '../doctor/finding.js';
import { OperatorError } from '../fault.js';
import { createLog } from '../log.js';
import { prepareDatabase } from '../storage.js';

/**
 * Beside a running server too: through the embedded PostgreSQL that it runs. Makes no database: `onNone` hears in plain
 * words that there is none yet.
 */
export async function withDatabaseAsItIs(
  work: (database: Database) => Promise<void>,
  onNone: (found: string[]) => void,
  options: { patient?: boolean } = {},
): Promise<void> {
  const config = readConfig();
  const log = createLog(config.logLevel);
  const { findings, url, close } = config.databaseUrl
    ? { findings: [], url: config.databaseUrl, close: () => Promise.resolve() }
    : await openDataFolder(config.dataDir);
  try {
    if (url === undefined) return onNone(whyNone(findings));
    const database = await prepareDatabase({ url, log, ...options });
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

/** For commands on states: a database that is there, with the schema of this version; statements may take long. */
export function withStates(work: (database: Database) => Promise<void>): Promise<void> {
  return withDatabaseAsItIs(
    async (database) => {
      const status = await migrationStatus(database);
      refuseNewerSchema(status);
      if (status.pending.length > 0) {
        throw new OperatorError(
          `${status.pending.length} migrations are pending (${status.pending.join(', ')}): run "scopestate migrate up" first`,
        );
      }
      await work(database);
    },
    (found) => {
      throw new OperatorError(`${found.join('; ')}; "scopestate migrate up" makes it`);
    },
    { patient: true },
  );
}

function whyNone(findings: Finding[]): string[] {
  const fault = findings.find(({ level }) => level === 'wrong');
  if (fault) throw new OperatorError([fault.found, fault.advice].filter(Boolean).join(': '));
  return findings.map(({ found }) => found);
}
