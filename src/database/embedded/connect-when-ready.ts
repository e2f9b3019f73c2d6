import { setTimeout as delay } from 'node:timers/promises';
import { Client, type DatabaseError } from 'pg';
import { OperatorError } from '../../fault.js';
import { readPidFile } from './pid-file.js';
import type { Postmaster } from './running-postmaster.js';

export interface Login {
  port: number;
  password: string;
}

/** Recovery after a crash reads at most some checkpoints' worth of WAL; longer than this, somebody should look. */
const readyMilliseconds = 60_000;
/** A postmaster that says it is ready answers at once, unless it is frozen or the machine is overloaded. */
const answerMilliseconds = 10_000;
/** It writes its pid file first of all, and ends within a minute when that has gone or names another. */
const namedMilliseconds = 10_000;

export async function connect(login: Login, database: string): Promise<Client> {
  const client = new Client({
    host: '127.0.0.1',
    port: login.port,
    user: 'scopestate',
    password: login.password,
    database,
    ssl: false, // PGSSLMODE in the environment is meant for other servers
    keepAlive: true,
    connectionTimeoutMillis: answerMilliseconds,
    application_name: `scopestate server, process ${process.pid}`,
  });
  client.on('error', () => undefined); // a lost connection shows as its end
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.connection.stream.destroy(); // it may be half open
    throw error;
  }
}

/** `postgresql://scopestate:<password>@127.0.0.1:<port>/<database>`, without TLS: PGSSLMODE is meant for other servers. */
export function urlOf({ port, password }: Login, database: string): string {
  return `postgresql://scopestate:${password}@127.0.0.1:${port}/${database}?sslmode=disable`;
}

/**
 * Connects to database `postgres` as soon as the postmaster takes connections. Undefined: it ended, or is not the
 * folder's postmaster any more, so look again.
 */
export async function connectWhenReady(
  postmaster: Postmaster,
  pgdata: string,
  password: string,
  signal?: AbortSignal,
): Promise<{ client: Client; login: Login } | undefined> {
  const deadline = performance.now() + readyMilliseconds;
  let namedAt = performance.now();
  let reason = 'it is starting up';
  while (await postmaster.isRunning()) {
    signal?.throwIfAborted();
    const file = await readPidFile(pgdata);
    if (file?.pid === postmaster.pid) namedAt = performance.now();
    else if (performance.now() - namedAt > namedMilliseconds) return undefined;
    // Not before its own sockets are open: somebody else may have the port.
    if (file?.pid === postmaster.pid && file.port !== undefined && file.status === 'ready') {
      const login = { port: file.port, password };
      try {
        return { client: await connect(login, 'postgres'), login };
      } catch (error) {
        reason = refusalIn(error, postmaster, pgdata);
      }
    } else if (file?.status !== undefined) {
      reason = `it is ${file.status}`;
    }
    if (performance.now() > deadline) {
      throw new OperatorError(
        `the embedded PostgreSQL (process ${postmaster.pid}) on ${pgdata} takes no connections: ${reason}; see postgres.log`,
      );
    }
    await delay(20);
  }
  return undefined;
}

/** A refusal that may pass, as text; throws for one that will not. */
function refusalIn(error: unknown, postmaster: Postmaster, pgdata: string): string {
  const { code, message } = error as DatabaseError;
  if (code === '28P01' || code === '28000') {
    throw new OperatorError(
      `the embedded PostgreSQL on ${pgdata} refuses the password in postgres.password; bring the right one back`,
    );
  }
  if (/timeout/i.test(message)) {
    throw new OperatorError(
      `the embedded PostgreSQL (process ${postmaster.pid}) on ${pgdata} runs but does not answer; ` +
        'if it is frozen, wake it (kill -CONT) or stop it (kill -QUIT), and start again',
    );
  }
  return message; // starting up, in recovery, shutting down, all connections taken
}
