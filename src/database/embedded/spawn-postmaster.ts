import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { OperatorError } from '../../fault.js';
import type { Log } from '../../log.js';
import type { RunAs } from './run-as.js';
import { sendSignal, stopPostmaster, type Postmaster } from './running-postmaster.js';
import { openServerLog, serverLogLines } from './server-log.js';

export interface SpawnedPostmaster extends Postmaster {
  /** settles when the process ends */
  readonly ended: Promise<void>;
  /** why it ended; to be asked only after it has */
  failure(): Promise<StartFailure>;
  /** makes Node wait for it, or not: only while it is being stopped */
  setAwaited(awaited: boolean): void;
}

export interface StartFailure {
  /**
   * folder-in-use: another postmaster was faster · orphans: backends of a killed one are about to end · stopped: it ran, and
   * another server that owns the folder has ended it
   */
  kind: 'port-taken' | 'folder-in-use' | 'orphans' | 'stopped' | 'other';
  line: string;
}

/** Starts a postmaster, on a port that is free now unless told which; what becomes of it is seen in its pid file and its log. */
export async function spawnPostmaster(
  pgdata: string,
  runAs: RunAs,
  logFile: string,
  port?: number,
): Promise<SpawnedPostmaster> {
  const args = ['-D', pgdata, '-p', String(port ?? (await freePort()))];
  for (const setting of [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'timezone=UTC',
    'log_timezone=UTC',
    'log_line_prefix=%m [%p] ', // the start finds its own lines by it
  ]) {
    args.push('-c', setting);
  }
  const { file: log, start } = await openServerLog(logFile);
  try {
    const [file = runAs.binaries.postgres, ...rest] = [...runAs.prefix, runAs.binaries.postgres, ...args];
    const child = spawn(file, rest, {
      cwd: '/',
      detached: true, // a process group of its own: Ctrl-C at a terminal must not reach it before our drain
      stdio: ['ignore', log.fd, log.fd],
      ...runAs.become,
    });
    // Before the first await: an exit must not be missed.
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await once(child, 'spawn').catch((error: Error) => {
      throw new OperatorError(`the embedded PostgreSQL can't be started: ${error.message}`);
    });
    child.unref();
    const pid = child.pid as number;
    const isRunning = () => child.exitCode === null && child.signalCode === null;
    return {
      pid,
      ended,
      isRunning: () => Promise.resolve(isRunning()),
      signal: (name) => Promise.resolve(isRunning() ? sendSignal(pid, name) : undefined), // not reaped: still its pid
      setAwaited: (awaited) => (awaited ? child.ref() : child.unref()),
      failure: async () => explain(await serverLogLines(logFile, start, pid)),
    };
  } finally {
    await log.close();
  }
}

/** Stops it, and has Node wait for that: a process that ends by itself meanwhile would leave it running. */
export async function stopOwn(postmaster: Postmaster & Partial<SpawnedPostmaster>, log: Log): Promise<void> {
  postmaster.setAwaited?.(true);
  try {
    await stopPostmaster(postmaster, log);
  } finally {
    postmaster.setAwaited?.(false);
  }
}

function explain(lines: string[]): StartFailure {
  const text = lines.join('\n');
  const line = (lines.find((one) => one.includes('FATAL:')) ?? lines.at(-1) ?? 'it said nothing').trim();
  if (/lock file "postmaster\.pid"/.test(text)) return { kind: 'folder-in-use', line };
  if (/pre-existing shared memory block/.test(text)) return { kind: 'orphans', line };
  if (/could not bind|could not create any TCP\/IP sockets/.test(text)) return { kind: 'port-taken', line };
  if (/ready to accept connections/.test(text) && /database system is shut down/.test(text)) {
    return { kind: 'stopped', line };
  }
  return { kind: 'other', line };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
