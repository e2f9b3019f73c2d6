import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Config } from './config.js';
import { openDatabase, type Database, type DatabaseOptions } from './database/database.js';
import { readTimeoutMillisOf } from './database/deadlines.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './database/embedded/embedded-postgres.js';
import { migrateUp, type MigrateOptions, type MigrateResult } from './database/migrate.js';
import { requireFitDatabase } from './database/requirements.js';
import { separateRoles, serverRole } from './database/roles.js';
import type { Log } from './log.js';
import { ScopeStateEntity } from './scope-state/scope-state.entity.js';

/** Where the build puts them; `src/` and `dist/` lie side by side, so this is right from either. */
const migrationsFolder = fileURLToPath(new URL('../dist/migrations', import.meta.url));

/** The database that a command or a server works on, and the PostgreSQL that scopestate runs for it, if any. */
export interface Storage {
  /** as a server uses it: on the embedded PostgreSQL in a role that can only add to the history */
  readonly database: Database;
  /** as its owner uses it, who migrates and prunes; on a PostgreSQL of yours the same */
  readonly owner: Database;
  /** of `database`; holds a password */
  readonly url: string;
  readonly embedded: EmbeddedPostgres | undefined;
  /** Applies what is pending, with statements that may take as long as the table is large. */
  migrate(options?: MigrateOptions): Promise<MigrateResult>;
  close(): Promise<void>;
}

/** The database at a URL with our tables and migrations; connects to nothing yet. */
export function prepareDatabase(
  options: Pick<DatabaseOptions, 'url' | 'log' | 'patient' | 'readTimeoutMillis'>,
): Promise<Database> {
  return openDatabase({ ...options, entities: [ScopeStateEntity], migrationsFolder });
}

/** Opens the configured database, or starts the embedded one; checks that it can keep what it acknowledges. */
export async function openStorage(config: Config, log: Log): Promise<Storage> {
  const opened = new AsyncDisposableStack();
  try {
    const embedded = config.databaseUrl
      ? undefined
      : opened.adopt(await startEmbeddedPostgres({ dataDir: config.dataDir, log }), (it) => it.stop());
    const ownerUrl = config.databaseUrl ?? embedded!.url;
    const password = randomBytes(24).toString('base64url');
    const url = embedded ? inRole(ownerUrl, serverRole, password) : ownerUrl;
    const readTimeoutMillis = readTimeoutMillisOf(config.limits.deadlineMillis);
    const prepare = async (of: string) =>
      opened.adopt(await prepareDatabase({ url: of, log, readTimeoutMillis }), (it) => it.close());
    const owner = await prepare(ownerUrl);
    const database = embedded ? await prepare(url) : owner;
    await requireFitDatabase(owner.pool);
    if (embedded) await separateRoles(owner.pool, password);
    return {
      database,
      owner,
      url,
      embedded,
      migrate: async (options) => {
        const patientDatabase = await prepareDatabase({ url: ownerUrl, log, patient: true });
        try {
          const result = await migrateUp(patientDatabase, options);
          if (embedded) await separateRoles(owner.pool, password);
          return result;
        } finally {
          await patientDatabase.close();
        }
      },
      close: () => opened.disposeAsync(),
    };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

function inRole(url: string, role: string, password: string): string {
  const other = new URL(url);
  other.username = role;
  other.password = password;
  return other.href;
}
