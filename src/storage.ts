import { fileURLToPath } from 'node:url';
import type { Config } from './config.js';
import { openDatabase, type Database, type DatabaseOptions } from './database/database.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './database/embedded/embedded-postgres.js';
import { migrateUp, type MigrateOptions, type MigrateResult } from './database/migrate.js';
import { requireFitDatabase } from './database/requirements.js';
import type { Log } from './log.js';
import { ScopeStateEntity } from './scope-state/scope-state.entity.js';

/** Where the build puts them; `src/` and `dist/` lie side by side, so this is right from either. */
const migrationsFolder = fileURLToPath(new URL('../dist/migrations', import.meta.url));

/** The database that a command or a server works on, and the PostgreSQL that scopestate runs for it, if any. */
export interface Storage {
  readonly database: Database;
  readonly embedded: EmbeddedPostgres | undefined;
  /** Applies what is pending, with statements that may take as long as the table is large. */
  migrate(options?: MigrateOptions): Promise<MigrateResult>;
  close(): Promise<void>;
}

/** The database at a URL with our tables and migrations; connects to nothing yet. */
export function prepareDatabase(
  options: Pick<DatabaseOptions, 'url' | 'log' | 'patient'>,
): Promise<Database> {
  return openDatabase({ ...options, entities: [ScopeStateEntity], migrationsFolder });
}

/** Opens the configured database, or starts the embedded one; checks that it can keep what it acknowledges. */
export async function openStorage(config: Config, log: Log): Promise<Storage> {
  const embedded = config.databaseUrl
    ? undefined
    : await startEmbeddedPostgres({ dataDir: config.dataDir, log });
  const url = config.databaseUrl ?? embedded!.url;
  const database = await prepareDatabase({ url, log });
  const storage: Storage = {
    database,
    embedded,
    migrate: async (options) => {
      const patientDatabase = await prepareDatabase({ url, log, patient: true });
      try {
        return await migrateUp(patientDatabase, options);
      } finally {
        await patientDatabase.close();
      }
    },
    close: async () => {
      await database.close();
      await embedded?.stop();
    },
  };
  try {
    await requireFitDatabase(database.pool);
    return storage;
  } catch (error) {
    await storage.close();
    throw error;
  }
}
