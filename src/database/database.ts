import { MikroORM, type EntitySchema } from '@mikro-orm/postgresql';
import { Client } from 'pg';
import type { Log } from '../log.js';
import { withinCloseTime } from './close-time.js';
import { connectTimeoutMillis, idleTimeoutMillis, keepAliveMillis, queryTimeoutMillis } from './deadlines.js';
import { loadMigrations } from './migration-files.js';
import type { Pool } from './pool.js';
import { limitReads } from './read.js';

/** An open database: MikroORM for tables and migrations, its native pool for every statement on a hot path. */
export interface Database {
  readonly orm: MikroORM;
  readonly pool: Pool;
  /** a connection outside the pool, not connected yet; a statement without an answer fails after so long */
  client(timeoutMillis: number): Client;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  url: string;
  entities: EntitySchema[];
  migrationsFolder: string;
  log: Log;
  /** for migrations: a statement may take as long as its table is large */
  patient?: boolean;
  /** for a server: the database ends a read of the pool's after so long, waiting for locks included */
  readTimeoutMillis?: number;
}

/** Connections at most: a mutation holds one for its transaction, and PostgreSQL has 100 unless told otherwise. */
const poolSize = 20;

/** Prepares the pool; the first connection is made by the first statement. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const connection = {
    connectionString: options.url,
    application_name: 'scopestate',
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMillis,
    pipeline: true, // statements that don't need each other's answers go out together, one behind the other
  };
  const orm = await MikroORM.init({
    entities: options.entities,
    dbName: databaseNameOf(options.url),
    driverOptions: {
      ...connection,
      connectionTimeoutMillis: connectTimeoutMillis,
      ...(!options.patient && { query_timeout: queryTimeoutMillis }),
    },
    pool: { max: poolSize, idleTimeoutMillis },
    ensureDatabase: false, // a database is made by its operator, never by the way
    logger: (message) => options.log.debug({ event: 'orm' }, message),
    migrations: {
      migrationsList: await loadMigrations(options.migrationsFolder),
      tableName: 'scopestate_migrations',
      transactional: true,
      allOrNothing: true,
      disableForeignKeys: false,
      snapshot: false,
      silent: true,
    },
  });
  const pool = await orm.em.getConnection().getNativeClient();
  if (options.readTimeoutMillis !== undefined) limitReads(pool, options.readTimeoutMillis);
  return {
    orm,
    pool,
    client: (timeoutMillis) =>
      new Client({ ...connection, connectionTimeoutMillis: timeoutMillis, query_timeout: timeoutMillis }),
    close: () => withinCloseTime(close(orm, pool)),
  };
}

/** MikroORM closes the pool only when statements of its own have gone through it. */
async function close(orm: MikroORM, pool: Pool): Promise<void> {
  await orm.close(true);
  if (!pool.ended) await pool.end();
}

/** MikroORM wants it beside the URL; a URL of a socket is none for `URL`. */
function databaseNameOf(url: string): string {
  return decodeURIComponent(/\/([^/?]*)(?:\?|$)/.exec(url)?.[1] ?? '');
}
