import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { OperatorError } from '../../fault.js';
import type { Log } from '../../log.js';
import { endConnection } from '../end-connection.js';

/**
 * One server owns a data folder: the one whose connection holds this advisory lock in database `postgres`. PostgreSQL
 * releases it when the owner's process has gone, however it went, so nothing stale is ever left. The number is "scopes".
 */
const ownerLock = '126943972910451';

/** A killed owner's backend needs some milliseconds to see it; a real second server is told within seconds. */
const takeMilliseconds = 3_000;
const retakeMilliseconds = 10_000;

export interface Ownership {
  /** settles when the postmaster has gone, or another server has taken it */
  readonly lost: Promise<void>;
  /** Announces that the postmaster will be stopped: from now on its end is no loss. False when it is not ours to stop. */
  giveUp(): boolean;
  close(): Promise<void>;
}

/** The folder is another server's: nothing of it may be touched. */
export class OwnedByAnother extends OperatorError {}

/** What the lock is on, and how to get at it again. */
export interface Owned {
  dataDir: string;
  reconnect(): Promise<Client>;
  isRunning(): Promise<boolean>;
}

/** Takes the ownership over this connection, or throws who has it. */
export async function takeOwnership(client: Client, owned: Owned, log: Log): Promise<Ownership> {
  const deadline = performance.now() + takeMilliseconds;
  while (!(await tryLock(client))) {
    if (performance.now() > deadline) {
      throw new OwnedByAnother(
        `another scopestate server (${await describeHolder(client)}) is running on ${owned.dataDir}; ` +
          'stop it, or set SCOPESTATE_DATA_DIR or DATABASE_URL',
      );
    }
    await delay(50);
  }
  return holdOwnership(client, owned, log);
}

function holdOwnership(first: Client, owned: Owned, log: Log): Ownership {
  let client = first;
  let givenUp = false;
  /** since when another session has been seen to hold the lock */
  let heldByAnotherSince: number | undefined;
  const lost = Promise.withResolvers<void>();

  function watch(): void {
    client.once('end', () => {
      if (givenUp) return;
      log.warn('the connection that owns the embedded PostgreSQL was lost; taking it again');
      void retake().then((taken) => (taken ? watch() : lost.resolve()));
    });
  }
  /**
   * The connection can break while the postmaster lives: a backend crashed, an administrator ended it. It is ours as long
   * as nobody else has taken it, however long it takes no connections.
   */
  async function retake(): Promise<boolean> {
    while (!givenUp && (await owned.isRunning())) {
      const next = await owned.reconnect().catch(() => undefined);
      const taken = next && (await tryLock(next).catch(() => undefined));
      if (next && taken && !givenUp) {
        client = next;
        heldByAnotherSince = undefined;
        return true;
      }
      if (next) await endConnection(next);
      if (taken === false) {
        heldByAnotherSince ??= performance.now();
        if (performance.now() - heldByAnotherSince > retakeMilliseconds) return false;
      }
      await delay(50);
    }
    return false;
  }

  watch();
  return {
    lost: lost.promise,
    giveUp() {
      givenUp = true;
      return heldByAnotherSince === undefined;
    },
    close: () => endConnection(client),
  };
}

async function tryLock(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>(
    '/* Ownership.take */ SELECT pg_try_advisory_lock($1) AS taken',
    [ownerLock],
  );
  return rows[0]?.taken === true;
}

async function describeHolder(client: Client): Promise<string> {
  const { rows } = await client.query<{ pid: number; application_name: string }>(
    `/* Ownership.holder */
     SELECT l.pid, a.application_name
       FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND (l.classid::bigint << 32) | l.objid::bigint = $1`,
    [ownerLock],
  );
  const [holder] = rows;
  if (!holder) return 'it has just stopped';
  const server = /process (\d+)/.exec(holder.application_name)?.[1];
  return server === undefined ? `backend pid ${holder.pid}` : `process ${server}, backend pid ${holder.pid}`;
}
