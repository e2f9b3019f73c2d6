import { chmod, lchown, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OperatorError } from '../../fault.js';
import type { Log } from '../../log.js';
import { canEnter, letThrough } from './cluster-place.js';
import type { RunAs } from './run-as.js';

/** A cluster is bound to its major version; PostgreSQL itself would say so only in its log. */
export async function checkMajorVersion(pgdata: string, version: string): Promise<void> {
  const found = (await readFile(join(pgdata, 'PG_VERSION'), 'utf8')).trim();
  const major = version.split('.')[0];
  if (found === major) return;
  throw new OperatorError(
    `${pgdata} was made by PostgreSQL ${found}, and the embedded one is ${version}; ` +
      `run the scopestate version that made it, dump its data and load it into a new SCOPESTATE_DATA_DIR`,
  );
}

/** Makes owner and modes of an existing cluster such that PostgreSQL, run that way, takes it. No postmaster may run. */
export async function fitCluster(pgdata: string, runAs: RunAs, log: Log): Promise<void> {
  await letThrough(dirname(pgdata), runAs);
  if (!(await canEnter(dirname(pgdata), runAs))) {
    throw new OperatorError(
      `the user that PostgreSQL has to run as here (uid ${runAs.uid}) can't reach ${pgdata}, because a folder above it is closed; ` +
        'move the data folder to where it can, and set SCOPESTATE_DATA_DIR',
    );
  }
  const { uid, mode } = await stat(pgdata);
  if (uid !== runAs.uid) {
    if (process.getuid?.() !== 0) {
      throw new OperatorError(
        `${pgdata} belongs to uid ${uid}, and scopestate runs as uid ${runAs.uid}; ` +
          `change its owner (chown -R), or set SCOPESTATE_DATA_DIR to another folder`,
      );
    }
    log.warn({ pgdata, from: uid, to: runAs.uid }, 'changing the owner of the database folder');
    await changeOwner(pgdata, runAs);
  }
  if ((mode & 0o077) !== 0) await chmod(pgdata, 0o700); // PostgreSQL refuses a folder that others may read
}

/** The folder itself comes last: a start that is killed in the midst is then done again by the next one. */
async function changeOwner(folder: string, runAs: RunAs): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await changeOwner(path, runAs);
    else await lchown(path, runAs.uid, runAs.gid);
  }
  await lchown(folder, runAs.uid, runAs.gid);
}
