import { readConfig } from '../config.js';
import type { Database } from '../database/database.js';
import { requireFitDatabase } from '../database/requirements.js';
import { openDataFolder } from '../doctor/data-folder.js';
import type { Finding } from '../doctor/finding.js';
import { OperatorError } from '../fault.js';
import { createLog } from '../log.js';
import { prepareDatabase } from '../storage.js';

/**
 * Works on the configured database as it is: nothing is made, nothing is migrated. Beside a running server too, through
 * the embedded PostgreSQL that it runs. Where there is no database, `work` is not called, and the lines that are
 * answered say so.
 */
export async function withDatabaseAsItIs(work: (database: Database) => Promise<string[]>): Promise<string[]> {
  const config = readConfig();
  const log = createLog(config.logLevel);
  const { findings, url, close } = config.databaseUrl
    ? { findings: [], url: config.databaseUrl, close: () => Promise.resolve() }
    : await openDataFolder(config.dataDir);
  try {
    if (url === undefined) return whyNone(findings);
    const database = await prepareDatabase({ url, log, patient: true });
    try {
      await requireFitDatabase(database.pool);
      return await work(database);
    } finally {
      await database.close();
    }
  } finally {
    await close();
  }
}

function whyNone(findings: Finding[]): string[] {
  const fault = findings.find(({ level }) => level === 'wrong');
  if (fault) throw new OperatorError([fault.found, fault.advice].filter(Boolean).join(': '));
  return findings.map(({ found }) => found);
}
