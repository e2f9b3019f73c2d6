import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer as createProbe } from 'node:net';
import { printSchema, type GraphQLSchema } from 'graphql';
import type { ClassType } from 'type-graphql';
import { isLoopback } from './access/open-to-all.rules.js';
import { TokenLookup } from './access/token-lookup.js';
import { createTokenWayIn } from './access/token-way-in.js';
import { TokenRepository } from './access/token.repository.js';
import { documentFaults, TrustedDocuments, type DocumentFile } from './api/documents/trusted-documents.js';
import { createSchema } from './api/schema.js';
import { createServer } from './api/server.js';
import type { Config } from './config.js';
import { migrationStatus, refuseNewerSchema } from './database/migrate.js';
import type { Pool } from './database/pool.js';
import { ReadinessMonitor } from './database/readiness.js';
import { OperatorError } from './fault.js';
import { PruneRepository } from './history/prune.repository.js';
import { PruneService } from './history/prune.service.js';
import { openLive } from './live/live.js';
import type { Log } from './log.js';
import { createResolvers, unconnectedResolvers, type ResolverOptions } from './resolvers.js';
import { selectorName } from './scope-state/selector.graphql.js';
import { openStorage, type Storage } from './storage.js';

export interface App {
  /** where it listens */
  readonly url: string;
  /** of its database, in the role in which it serves */
  readonly pool: Pool;
  /** settles with the reason when the server can't go on: another one has taken its embedded PostgreSQL */
  readonly failed: Promise<OperatorError>;
  /** Answers what was accepted, then lets go of everything. */
  stop(): Promise<void>;
}

export type { DocumentFile };

export interface AppOptions extends ResolverOptions {
  /** applies what is pending, also where the database is its operator's */
  migrate?: boolean;
  /** listen where others can reach it, though whoever sends no token may do everything */
  insecureNoAuth?: boolean;
  /** only these run; undefined: all that are valid */
  trustedDocuments?: DocumentFile | undefined;
}

/** Starts the whole server; what was started is let go of again when something fails. */
export async function startApp(config: Config, log: Log, options: AppOptions = {}): Promise<App> {
  const { migrate = false, insecureNoAuth = false, trustedDocuments, gather = true } = options;
  if (config.auth === 'none') requireLoopback(config, insecureNoAuth, log);
  await requireFreePort(config);
  const started = new AsyncDisposableStack(); // what began last ends first
  try {
    const storage = started.adopt(await openStorage(config, log), (it) => it.close());
    await bringUpToDate(storage, migrate, log);
    const live = started.adopt(openLive(storage.database, log), (it) => it.stop());
    const schema = await createSchema({
      resolvers: createResolvers(storage.database.pool, config, log, { gather }),
      oneOf: [selectorName],
      streams: live.streams,
    });
    const monitor = new ReadinessMonitor(storage.database);
    const tokens = new TokenLookup(new TokenRepository(storage.database.pool));
    const server = await createServer({
      schema,
      log,
      wayIn: createTokenWayIn(tokens, { isNeeded: config.auth === 'token' }),
      readiness: () => monitor.current(),
      onMutation: () => live.poke(),
      limits: config.limits,
      corsOrigins: config.corsOrigins,
      hidesSchema: config.isProduction,
      trustedDocuments: trustedDocuments && new TrustedDocuments(trustedDocuments),
    });
    const retention = new PruneService(new PruneRepository(storage.owner.pool), config.historyRetention);
    started.adopt(retention.start(log), (it) => it.stop());
    started.defer(() => server.close());
    started.defer(() => monitor.stop());
    await monitor.start();
    const host = await addressOf(config.host);
    const url = await server.listen(host, config.port).catch((error: Error) => {
      throw cannotListen(config, error);
    });
    return {
      url,
      pool: storage.database.pool,
      failed: storage.embedded?.lost ?? new Promise(() => {}),
      stop: () => started.disposeAsync(),
    };
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

/** Where nobody has to say who he is, only this machine's programs may be able to ask. */
function requireLoopback({ host }: Config, isInsistedOn: boolean, log: Log): void {
  if (isLoopback(host)) return;
  const open = `whoever reaches ${host} may do everything (SCOPESTATE_AUTH=none)`;
  if (!isInsistedOn) {
    throw new OperatorError(
      `${open}: set SCOPESTATE_AUTH=token and make tokens with "scopestate token create", or set HOST=127.0.0.1; ` +
        '"scopestate serve --insecure-no-auth" insists',
    );
  }
  log.warn({ event: 'open-to-all', host }, open);
}

/** Asked early, so that no database is made for a server that can't listen. */
async function requireFreePort(config: Config): Promise<void> {
  const probe = createProbe();
  try {
    probe.listen(config.port, await addressOf(config.host));
    await once(probe, 'listening');
  } catch (error) {
    throw cannotListen(config, error as NodeJS.ErrnoException);
  }
  probe.close();
  await once(probe, 'close');
}

/**
 * One address, also where the name has several: for `localhost` Fastify would make a second server, which knows nothing of
 * the limits of connections and is not drained at the end.
 */
async function addressOf(host: string): Promise<string> {
  const { address } = await lookup(host, { order: 'ipv4first' });
  return address;
}

function cannotListen({ host, port }: Config, error: NodeJS.ErrnoException): OperatorError {
  const why =
    error.code === 'EADDRINUSE'
      ? 'another program does already, scopestate itself perhaps; stop it, or set PORT'
      : error.message;
  return new OperatorError(`can't listen on ${host}:${port}: ${why}`, { cause: error });
}

/** What is wrong with documents that shall be trusted; needs no database. */
export async function faultsOfDocuments(file: DocumentFile, { limits }: Config): Promise<string[]> {
  return documentFaults(file, await unconnectedSchema(), limits);
}

/** The schema as text; needs no database. */
export async function schemaText(): Promise<string> {
  return printSchema(await unconnectedSchema());
}

function unconnectedSchema(): Promise<GraphQLSchema> {
  const resolvers = new Map<ClassType, object>(unconnectedResolvers.map((resolver) => [resolver, {}]));
  return createSchema({ resolvers, oneOf: [selectorName] });
}

/** The embedded database is ours to migrate; another one is its operator's. */
async function bringUpToDate(storage: Storage, migrate: boolean, log: Log): Promise<void> {
  const status = await migrationStatus(storage.owner);
  refuseNewerSchema(status);
  if (status.pending.length === 0) return;
  if (storage.embedded === undefined && !migrate) {
    throw new OperatorError(
      `${status.pending.length} migrations are pending (${status.pending.join(', ')}): run "scopestate migrate up", or "scopestate serve --migrate"`,
    );
  }
  const { applied } = await storage.migrate();
  log.info({ event: 'migrated', applied }, 'database migrated');
}
