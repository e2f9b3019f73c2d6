import type { Database } from './database.js';
import { endConnection } from './end-connection.js';
import { sqlStateOf, tellsOfALostSession } from './faults.js';
import { migrationStatus } from './migrate.js';
import type { Client } from './pool.js';
import { unfitnessOf } from './requirements.js';
import { rightsNeeded } from './rights.js';

/** Why a server is not ready, in words that name no host and no secret. */
export type NotReady =
  | 'database unreachable'
  | 'migrations pending'
  | 'schema is newer than this server'
  | 'writes are refused'
  | 'writes are not durable'
  | 'disk full'
  | 'stopping';

export interface Readiness {
  readonly ready: boolean;
  readonly reason?: NotReady;
}

/** A change of the database's state shows within two seconds: the pause, and one probe that gets no answer. */
const pauseMillis = 500;
const probeMillis = 1_000;

/**
 * Knows whether a write would be accepted now: makes one again and again, over a connection of its own, so that neither
 * a busy pool nor a frozen database keeps `/readyz` waiting.
 */
export class ReadinessMonitor {
  private readonly database: Database;
  private client: Client | undefined;
  private latest: Readiness = { ready: false, reason: 'database unreachable' };
  private timer: NodeJS.Timeout | undefined;
  private probing: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(database: Database) {
    this.database = database;
  }

  /** Resolves after the first probe. */
  start(): Promise<void> {
    this.probing = this.probe().then(() => {
      if (this.stopped) return;
      this.timer = setTimeout(() => void this.start(), pauseMillis).unref();
    });
    return this.probing;
  }

  current(): Readiness {
    return this.latest;
  }

  /** From now on not ready, whatever the database says. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.latest = { ready: false, reason: 'stopping' };
    clearTimeout(this.timer);
    await this.probing;
    if (this.client) await endConnection(this.client);
  }

  private async probe(): Promise<void> {
    const readiness = await within(probeMillis, this.ask()).catch((error: unknown): Readiness => {
      this.disconnect();
      return {
        ready: false,
        reason: error instanceof WriteRefused ? error.reason : 'database unreachable',
      };
    });
    if (!this.stopped) this.latest = readiness;
  }

  private async ask(): Promise<Readiness> {
    const client = (this.client ??= await this.connect());
    const { pending, unknown } = await migrationStatus(this.database, client);
    if (unknown.length > 0) return { ready: false, reason: 'schema is newer than this server' };
    if (pending.length > 0) return { ready: false, reason: 'migrations pending' };
    if ((await unfitnessOf(client)).length > 0) return { ready: false, reason: 'writes are not durable' };
    try {
      await requireRoom(client);
      await write(client);
    } catch (error) {
      throw tellsOfALostSession(error) ? error : new WriteRefused(error);
    }
    return { ready: true };
  }

  private async connect(): Promise<Client> {
    const client = this.database.client(probeMillis);
    client.on('error', () => this.disconnect(client)); // it is made anew by the next probe
    await client.connect();
    return client;
  }

  private disconnect(client = this.client): void {
    if (client === this.client) this.client = undefined;
    client?.end().catch(() => undefined);
  }
}

const diskFull = '53100';
const temporaryFilesLimited = '53400';

class WriteRefused extends Error {
  readonly reason: NotReady;

  constructor(cause: unknown) {
    super('', { cause });
    this.reason = sqlStateOf(cause) === diskFull ? 'disk full' : 'writes are refused';
  }
}

/**
 * Really written and committed, whatever the sessions' default isolation is: servers that probe at once must not fail
 * each other. The role's rights are asked for beside it.
 */
async function write(client: Client): Promise<void> {
  await client.query('begin isolation level read committed');
  const { rows } = await client.query<{ permitted: boolean }>(
    `/* ReadinessMonitor.write */ with probe as (
       update scopestate_write_probe set probed_at = timezone('utc', clock_timestamp())
     ) select bool_and(held) as permitted from ${rightsNeeded}`,
  );
  await client.query('commit');
  if (!rows[0]?.permitted) throw new WriteRefused('the role lacks a right');
}

/**
 * A row is written again in the room that its table has, so a full disk would show only when the next state finds none.
 * Half a megabyte that doesn't fit into `work_mem` goes to a temporary file, which is asked of the disk at once.
 */
async function requireRoom(client: Client): Promise<void> {
  try {
    await client.query(
      `/* ReadinessMonitor.requireRoom */ begin; set local work_mem = '64kB';
       select count(*) from unnest(array_fill(repeat('-', 8192), array[64])); commit`,
    );
  } catch (error) {
    if (sqlStateOf(error) !== temporaryFilesLimited) throw error;
    await client.query('rollback'); // temp_file_limit: then this can't be known
  }
}

async function within<T>(millis: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('timed out')), millis);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined); // its late failure is nobody's any more
  }
}
