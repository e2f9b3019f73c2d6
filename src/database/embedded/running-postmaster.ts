import { setTimeout as delay } from 'node:timers/promises';
import { OperatorError } from '../../fault.js';
import type { Log } from '../../log.js';
import { readPidFile, type PidFile } from './pid-file.js';
import { findPostmasterProcess, isPostmaster } from './process-table.js';

/** A postmaster of ours: a child, or one that an earlier server left behind. */
export interface Postmaster {
  readonly pid: number;
  isRunning(): Promise<boolean>;
  /** Only reaches the postmaster: it is made sure of first that the pid is still its own. */
  signal(name: NodeJS.Signals): Promise<void>;
}

/** How long a pid file may stay half-written: a postmaster writes the first five lines at once. */
const halfWrittenMilliseconds = 2_000;

/** Looks for a live postmaster of the folder; else tells of the pid file that a dead one left. Changes nothing. */
export async function findPostmaster(
  pgdata: string,
): Promise<{ postmaster?: Postmaster; stalePidFile?: PidFile }> {
  const deadline = performance.now() + halfWrittenMilliseconds;
  let file = await readPidFile(pgdata);
  while (file && file.pid === undefined && performance.now() < deadline) {
    await delay(50);
    file = await readPidFile(pgdata);
  }
  if (file === undefined) return {};
  if (file.pid !== undefined) {
    const alive = await isPostmaster(file.pid, pgdata);
    return alive ? { postmaster: foundPostmaster(file.pid, pgdata) } : { stalePidFile: file };
  }
  const pid = await findPostmasterProcess(pgdata);
  if (pid === undefined) return { stalePidFile: file };
  throw new OperatorError(
    `PostgreSQL (process ${pid}) runs on ${pgdata}, but its postmaster.pid is broken; stop that process and start again`,
  );
}

function foundPostmaster(pid: number, pgdata: string): Postmaster {
  const isRunning = () => isPostmaster(pid, pgdata);
  return {
    pid,
    isRunning,
    async signal(name) {
      if (await isRunning()) sendSignal(pid, name);
    },
  };
}

export function sendSignal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Waits until the postmaster has gone; false when it has not by then. */
export async function untilGone(postmaster: Postmaster, milliseconds: number): Promise<boolean> {
  const deadline = performance.now() + milliseconds;
  while (await postmaster.isRunning()) {
    if (performance.now() > deadline) return false;
    await delay(20);
  }
  return true;
}

/** A fast shutdown writes all that is in memory to disk, which takes its time on a slow one. */
const fastShutdownMilliseconds = 60_000;
const immediateShutdownMilliseconds = 15_000;

/**
 * Fast shutdown; when that hangs, immediate shutdown; when that hangs too, the end. Nothing committed is lost: the next
 * start recovers. One that somebody has frozen is woken, or it would never hear of it.
 */
export async function stopPostmaster(postmaster: Postmaster, log: Log): Promise<void> {
  await postmaster.signal('SIGINT');
  await postmaster.signal('SIGCONT');
  if (await untilGone(postmaster, fastShutdownMilliseconds)) return;
  log.warn(
    { postmasterPid: postmaster.pid },
    'the embedded PostgreSQL does not stop; shutting it down at once',
  );
  await postmaster.signal('SIGQUIT');
  if (await untilGone(postmaster, immediateShutdownMilliseconds)) return;
  await postmaster.signal('SIGKILL');
  if (await untilGone(postmaster, immediateShutdownMilliseconds)) return;
  throw new OperatorError(
    `the embedded PostgreSQL (process ${postmaster.pid}) does not stop; see its postgres.log`,
  );
}
