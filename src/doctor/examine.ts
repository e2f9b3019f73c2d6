import type { Config } from '../config.js';
import { examineWayIn } from './examine-way-in.js';
import { note, type Finding } from './finding.js';
import { examineDatabase, type Prepare } from './examine-database.js';
import { openDataFolder } from './data-folder.js';

/** Looks at everything that a server needs, in the order in which it needs it, and changes nothing. */
export async function examine(config: Config, prepare: Prepare): Promise<Finding[]> {
  return [...examineWayIn(config), ...(await examineStorage(config, prepare))];
}

async function examineStorage(config: Config, prepare: Prepare): Promise<Finding[]> {
  if (config.databaseUrl !== undefined) {
    const skipped = note('data folder', 'not used: DATABASE_URL is set');
    return [skipped, ...(await examineDatabase(config.databaseUrl, 'own', prepare))];
  }
  const { findings, url, close } = await openDataFolder(config.dataDir);
  try {
    return url === undefined ? findings : [...findings, ...(await examineDatabase(url, 'embedded', prepare))];
  } finally {
    await close();
  }
}
