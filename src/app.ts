import { once } from 'node:events';
import { createServer as createProbe } from 'node:net';
import { printSchema, type GraphQLSchema } from 'graphql';
import type { ClassType } from 'type-graphql';
import { createSchema } from './api/schema.js';
import { createServer } from './api/server.js';
import type { Config } from './config.js';
import { migrationStatus, refuseNewerSchema } from './database/migrate.js';
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
  /** settles with the reason when the server can't go on: another one has taken its embedded PostgreSQL */
  readonly failed: Promise<OperatorError>;
  /** Answers what was accepted, then lets go of everything. */
  stop(): Promise<void>;
}

export interface AppOptions extends ResolverOptions {
  /** applies what is pending, also where the database is its operator's */
  migrate?: boolean;
}

/** Starts the whole server; what was started is let go of again when something fails. */
export async function startApp(
  config: Config,
  log: Log,
  { migrate = false, gather = true }: AppOptions = {},
): Promise<App> {
  await requireFreePort(config);
  const storage = await openStorage(config, log);
  try {
    await bringUpToDate(storage, migrate, log);
    const live = openLive(storage.database, log);
    const schema = await createSchema({
      resolvers: createResolvers(storage.database.pool, config, log, { gather }),
      oneOf: [selectorName],
      streams: live.streams,
    });
    const monitor = new ReadinessMonitor(storage.database);
    const server = await createServer({
      schema,
      log,
      readiness: () => monitor.current(),
      onMutation: () => live.poke(),
    });
    await monitor.start();
    const url = await server.listen(config.host, config.port).catch(async (error: Error) => {
      await monitor.stop();
      throw cannotListen(config, error);
    });
    const retention = new PruneService(new PruneRepository(storage.owner.pool), config.historyRetention);
    const pruning = retention.start(log);
    return {
      url,
      failed: storage.embedded?.lost ?? new Promise(() => {}),
      stop: async () => {
        await monitor.stop();
        await server.close();
        await pruning.stop();
        await live.stop();
        await storage.close();
      },
    };
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/** Asked early, so that no database is made for a server that can't listen. */
export async function requireFreePort(config: Config): Promise<void> {
  const probe = createProbe().listen(config.port, config.host);
  try {
    await once(probe, 'listening');
  } catch (error) {
    throw cannotListen(config, error as NodeJS.ErrnoException);
  }
  probe.close();
  await once(probe, 'close');
}

function cannotListen({ host, port }: Config, error: NodeJS.ErrnoException): OperatorError {
  const why =
    error.code === 'EADDRINUSE'
      ? 'another program does already, scopestate itself perhaps; stop it, or set PORT'
      : error.message;
  return new OperatorError(`can't listen on ${host}:${port}: ${why}`, { cause: error });
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
