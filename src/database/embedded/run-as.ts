import { execFile } from 'node:child_process';
import { cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import { createHash, randomUUID } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { OperatorError } from '../../fault.js';
import type { Log } from '../../log.js';
import { lastLine, type PostgresBinaries } from './postgres-binaries.js';

/**
 * How the binaries are run. PostgreSQL refuses to run as root, so that root has to become somebody else for it:
 *
 *   not root                     as ourselves
 *   root, `unshare` works        in a user namespace where we are called 65534; to the rest of the machine it is still
 *                                uid 0, without its privileges: it reaches what root *owns*, in a folder of mode 700 too
 *   root, `unshare` is refused   as uid 65534 (usual in containers), which reaches only what is open to others
 */
export interface RunAs {
  binaries: PostgresBinaries;
  /** put before a binary's own command line */
  prefix: string[];
  /** for child_process: the user to become, if any */
  become: { uid: number; gid: number } | undefined;
  /** whom the kernel takes the processes for: files must belong to this user */
  uid: number;
  gid: number;
}

/** `nobody` nearly everywhere; it need not be in /etc/passwd. */
const nobody = 65534;

/** Durable, and reachable by every user: for what has to leave folders that only root may enter. */
export const machineFolder = '/var/lib/scopestate';

export async function chooseRunAs(binaries: PostgresBinaries, log: Log): Promise<RunAs> {
  const uid = process.getuid?.() ?? -1;
  const gid = process.getgid?.() ?? -1;
  if (uid !== 0) return { binaries, prefix: [], become: undefined, uid, gid };

  const prefix = ['unshare', '--user', `--map-user=${nobody}`, `--map-group=${nobody}`, '--'];
  const inNamespace: RunAs = { binaries, prefix, become: undefined, uid, gid };
  if ((await whyNotRunning(inNamespace)) === undefined) return inNamespace;

  const asNobody: RunAs = {
    binaries,
    prefix: [],
    become: { uid: nobody, gid: nobody },
    uid: nobody,
    gid: nobody,
  };
  if ((await whyNotRunning(asNobody)) === undefined) return asNobody;

  const copied = { ...asNobody, binaries: await copyBinaries(binaries, log) };
  const refusal = await whyNotRunning(copied);
  if (refusal === undefined) return copied;
  throw new OperatorError(
    `PostgreSQL refuses to run as root, and neither unshare nor uid ${nobody} can be used here (${refusal}); ` +
      'start scopestate as an ordinary user, or set DATABASE_URL',
  );
}

/** Runs one of the binaries to its end; rejects, with its standard error, when it fails. */
export async function runBinary(runAs: RunAs, binary: string, args: string[]): Promise<void> {
  const [file = binary, ...rest] = [...runAs.prefix, binary, ...args];
  await promisify(execFile)(file, rest, { cwd: '/', ...runAs.become });
}

async function whyNotRunning(runAs: RunAs): Promise<string | undefined> {
  try {
    await runBinary(runAs, runAs.binaries.postgres, ['--version']);
    return undefined;
  } catch (error) {
    return lastLine(error);
  }
}

/** Copies the package's native folder (bin, lib with its links, share) to where every user reaches it, once. */
async function copyBinaries(binaries: PostgresBinaries, log: Log): Promise<PostgresBinaries> {
  const native = dirname(dirname(binaries.postgres));
  const { size, mtimeMs } = await stat(binaries.postgres);
  const fingerprint = createHash('sha256').update(`${native}:${size}:${mtimeMs}`).digest('hex').slice(0, 12);
  const target = join(machineFolder, `postgres-binaries-${fingerprint}`);
  const inTarget = (binary: string) => join(target, 'bin', basename(binary));
  const copied = { initdb: inTarget(binaries.initdb), postgres: inTarget(binaries.postgres) };
  if (!(await stat(target).catch(() => undefined))) {
    await mkdir(machineFolder, { recursive: true, mode: 0o755 });
    // Under its name only when complete: a start killed half-way leaves nothing that looks like binaries.
    const partial = `${target}.${randomUUID()}`;
    try {
      await cp(native, partial, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
      await rename(partial, target).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      });
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
    log.warn(
      { from: native, to: target },
      `the PostgreSQL binaries were copied: root may not run PostgreSQL, unshare is refused, and uid ${nobody} can't reach them`,
    );
  }
  return copied;
}
