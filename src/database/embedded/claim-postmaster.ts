import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import { OperatorError } from '../../fault.js';
import type { Log } from '../../log.js';
import { endConnection } from '../end-connection.js';
import { findCluster, linkCluster, makeDataFolder, placeForCluster, letThrough } from './cluster-place.js';
import { connect, connectWhenReady, type Login } from './connect-when-ready.js';
import { checkMajorVersion, fitCluster } from './fit-cluster.js';
import { makeCluster } from './make-cluster.js';
import { OwnedByAnother, takeOwnership, type Ownership } from './ownership.js';
import { ensurePassword, readPassword } from './password-file.js';
import { disownPidFile } from './pid-file.js';
import { postgresVersion, type PostgresBinaries } from './postgres-binaries.js';
import { chooseRunAs, type RunAs } from './run-as.js';
import { findPostmaster, stopPostmaster, untilGone, type Postmaster } from './running-postmaster.js';
import { spawnPostmaster, stopOwn, type SpawnedPostmaster } from './spawn-postmaster.js';

export interface ClaimRequest {
  dataDir: string;
  binaries: PostgresBinaries;
  log: Log;
  /** after one has ended */
  again?: Again;
}

/** What a postmaster that takes the place of one that ended has to be like. */
export interface Again {
  port: number;
  runAs: RunAs | undefined;
  /** of the cluster: the one and only that it may run on */
  systemIdentifier: string;
  /** ends the tries */
  signal: AbortSignal;
}

export interface ClaimedPostmaster {
  postmaster: Postmaster & Partial<SpawnedPostmaster>;
  pgdata: string;
  login: Login;
  ownership: Ownership;
  /** as PostgreSQL tells a cluster from all others */
  systemIdentifier: string;
  /** of the PostgreSQL that runs */
  version: string;
  /** undefined where it was found running */
  runAs?: RunAs | undefined;
}

/** A killed postmaster's connections break some moments before it has gone. */
const dyingMilliseconds = 2_000;
/** Other starts, a dying postmaster or a taken port make us look again; that settles in a second or two. */
const claimMilliseconds = 60_000;
/** Backends of a killed postmaster end as soon as they notice; one that is stuck needs somebody to look. */
const orphanMilliseconds = 15_000;

/**
 * Gets the one postmaster of the data folder, and the ownership of it. Each round looks at what is there *now* and does
 * one thing about it, so that any number of starts at once, and whatever a killed one left, come out right:
 *
 *   a live postmaster    connect, take the ownership (another server has it: refuse, nothing was changed)
 *   none                 make the cluster if there is none, disown a stale pid file, start a postmaster
 */
export async function claimPostmaster(request: ClaimRequest): Promise<ClaimedPostmaster> {
  const { dataDir, binaries, log, again } = request;
  const version = await postgresVersion(binaries);
  const startedAt = performance.now();
  let runAs = again?.runAs;
  let failure = 'it ended again and again';
  while (performance.now() - startedAt < claimMilliseconds) {
    again?.signal.throwIfAborted();
    const existing = await findCluster(dataDir);
    const found = existing === undefined ? {} : await findPostmaster(existing);
    if (existing !== undefined && found.postmaster) {
      const claimed = await own(found.postmaster, existing, request);
      if (claimed && isWanted(claimed, version, again?.port)) {
        log.info(
          { postmasterPid: claimed.postmaster.pid },
          'taking over the embedded PostgreSQL of an earlier server',
        );
        return claimed;
      }
      if (claimed) await replace(claimed, log);
      continue;
    }
    runAs ??= await chooseRunAs(binaries, log);
    const pgdata = await prepare(existing, version, runAs, request);
    if (found.stalePidFile) await disownPidFile(pgdata, found.stalePidFile);
    const spawned = await spawnPostmaster(pgdata, runAs, join(dataDir, 'postgres.log'), again?.port);
    const claimed = await own(spawned, pgdata, request).catch((error: unknown) =>
      giveUp(spawned, error, log),
    );
    if (claimed) return { ...claimed, runAs };
    if (await spawned.isRunning()) {
      log.warn(
        { postmasterPid: spawned.pid },
        'another start took its pid file; stopping it and looking again',
      );
      await stopOwn(spawned, log);
      continue;
    }
    const { kind, line } = await spawned.failure();
    failure = line;
    const orphansHold = kind === 'orphans' && performance.now() - startedAt < orphanMilliseconds;
    const portHeld = kind === 'port-taken' && again !== undefined;
    if (kind === 'other' || portHeld || (kind === 'orphans' && !orphansHold)) break;
    await delay(50);
  }
  throw new OperatorError(
    `the embedded PostgreSQL on ${dataDir} does not start: ${failure}; see ${join(dataDir, 'postgres.log')}`,
  );
}

/** Undefined when the postmaster ended before it could be owned, or is not the one that the pid file names. */
async function own(
  postmaster: Postmaster,
  pgdata: string,
  { dataDir, log, again }: ClaimRequest,
): Promise<ClaimedPostmaster | undefined> {
  const password = await readPassword(dataDir, pgdata);
  const connected = await connectWhenReady(postmaster, pgdata, password, again?.signal);
  if (!connected) return undefined;
  const { client, login } = connected;
  try {
    const identity = await identify(client);
    if (again && again.systemIdentifier !== identity.systemIdentifier) {
      throw new OperatorError(`the database in ${dataDir} is another one now; bring the right one back`);
    }
    const isRunning = () => postmaster.isRunning();
    const reconnect = () => connect(login, 'postgres');
    const ownership = await takeOwnership(client, { dataDir, reconnect, isRunning }, log);
    return { postmaster, pgdata, login, ownership, ...identity };
  } catch (error) {
    await endConnection(client);
    if (error instanceof OperatorError || !(await untilGone(postmaster, dyingMilliseconds))) throw error;
    return undefined; // it ended under our hands
  }
}

/** A refused owner leaves the postmaster to the other server, which uses it; else what was started is stopped. */
async function giveUp(spawned: SpawnedPostmaster, error: unknown, log: Log): Promise<never> {
  if (!(error instanceof OwnedByAnother)) {
    await stopOwn(spawned, log);
  }
  throw error;
}

/** A postmaster that an older installation left behind may miss its own files by now. */
function isWanted(claimed: ClaimedPostmaster, version: string, port = claimed.login.port): boolean {
  return claimed.version === version && claimed.login.port === port;
}

async function replace({ postmaster, ownership }: ClaimedPostmaster, log: Log): Promise<void> {
  log.info({ postmasterPid: postmaster.pid }, 'stopping the embedded PostgreSQL of another version or port');
  try {
    if (ownership.giveUp()) await stopPostmaster(postmaster, log);
  } finally {
    await ownership.close();
  }
}

async function identify(client: Client): Promise<Pick<ClaimedPostmaster, 'systemIdentifier' | 'version'>> {
  const { rows } = await client.query<{ id: string; version: string }>(
    `/* identify */ SELECT system_identifier::text AS id, current_setting('server_version') AS version
     FROM pg_control_system()`,
  );
  return { systemIdentifier: rows[0]!.id, version: rows[0]!.version.split(' ')[0]! };
}

async function prepare(
  existing: string | undefined,
  version: string,
  runAs: RunAs,
  { dataDir, log, again }: ClaimRequest,
): Promise<string> {
  if (existing !== undefined) {
    await checkMajorVersion(existing, version);
    await fitCluster(existing, runAs, log);
    return existing;
  }
  // An empty one in its place would look as if all states were gone.
  if (again) throw new OperatorError(`the database in ${dataDir} has gone; bring it back`);
  await makeDataFolder(dataDir);
  const folder = await realpath(dataDir);
  const place = await placeForCluster(folder, runAs);
  await letThrough(place, runAs);
  const pgdata = await makeCluster(place, await passwordFor(folder, place), runAs, log);
  if (place !== folder) await linkCluster(folder, pgdata, log);
  return pgdata;
}

/** A database elsewhere whose data folder was removed has a password that we don't know: no new one fits. */
async function passwordFor(folder: string, place: string): Promise<string> {
  const elsewhere = place === folder ? undefined : await findCluster(place);
  return elsewhere === undefined ? ensurePassword(folder) : readPassword(folder, elsewhere);
}
