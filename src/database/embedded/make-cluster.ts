import { randomUUID } from 'node:crypto';
import { chown, mkdir, open, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OperatorError } from '../../fault.js';
import type { Log } from '../../log.js';
import { lastLine } from './postgres-binaries.js';
import { runBinary, type RunAs } from './run-as.js';

const stagingPrefix = 'postgres.initdb-';

/**
 * Makes the database cluster `<place>/postgres`, in a folder beside it that becomes it by one rename: a start that was
 * killed in the midst leaves nothing that looks like a database, and of two starts at once one wins and both go on.
 */
export async function makeCluster(place: string, password: string, runAs: RunAs, log: Log): Promise<string> {
  const pgdata = join(place, 'postgres');
  if (await isCluster(pgdata)) return pgdata; // a start was killed before it could link this place
  const startedAt = performance.now();
  const staging = join(place, `${stagingPrefix}${randomUUID()}`);
  const made = join(staging, 'data');
  const passwordFile = join(staging, 'password'); // not inside `made`: initdb wants that empty
  try {
    for (const folder of [staging, made]) {
      await mkdir(folder, { mode: 0o700 });
      await chown(folder, runAs.uid, runAs.gid);
    }
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    await chown(passwordFile, runAs.uid, runAs.gid);
    await runBinary(runAs, runAs.binaries.initdb, [
      `--pgdata=${made}`,
      '--encoding=UTF8',
      '--locale=C',
      '--auth=scram-sha-256',
      '--username=scopestate',
      `--pwfile=${passwordFile}`,
      '--no-instructions',
    ]);
    await publish(made, pgdata);
    log.info({ pgdata, milliseconds: Math.round(performance.now() - startedAt) }, 'made an empty database');
  } catch (error) {
    // The winner of two starts at once clears away what the other was making.
    if (!(await isCluster(pgdata))) {
      throw new OperatorError(`the database can't be made in ${place}: ${lastLine(error)}`);
    }
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return pgdata;
}

/** What starts that were killed half-way left. Only for the owner of the data folder. */
export async function removeHalfMadeClusters(place: string): Promise<void> {
  for (const name of await readdir(place)) {
    if (!name.startsWith(stagingPrefix)) continue;
    await rm(join(place, name), { recursive: true, force: true }).catch(() => undefined); // or at the next start
  }
}

async function publish(made: string, pgdata: string): Promise<void> {
  // macOS and some network file systems don't rename onto an empty folder.
  await rmdir(pgdata).catch(() => undefined);
  await rename(made, pgdata).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
  // initdb has synced what is in the folder; this makes its name survive a power failure.
  const place = await open(dirname(pgdata), 'r');
  try {
    await place.sync();
  } finally {
    await place.close();
  }
}

function isCluster(folder: string): Promise<boolean> {
  return stat(join(folder, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
}
