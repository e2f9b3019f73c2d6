import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readlink, realpath, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OperatorError } from '../../fault.js';
import type { Log } from '../../log.js';
import { machineFolder, type RunAs } from './run-as.js';

/** PGDATA of the data folder, links followed; undefined when no database was made there yet. Changes nothing. */
export async function findCluster(dataDir: string): Promise<string | undefined> {
  const path = join(dataDir, 'postgres');
  const pgdata = await realpath(path).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    const target = await readlink(path).catch(() => undefined);
    if (target === undefined) return undefined;
    throw new OperatorError(
      `${path} leads to ${target}, which is missing; bring that folder back, or remove the link to begin with an empty database`,
    );
  });
  if (pgdata === undefined) return undefined;
  const entries = await readdir(pgdata);
  if (entries.length === 0) return undefined; // such as one made for a mount
  if (entries.includes('PG_VERSION')) return pgdata;
  throw new OperatorError(
    `${path} is not a PostgreSQL data folder (no PG_VERSION); set SCOPESTATE_DATA_DIR to another folder, or move it away`,
  );
}

/** Makes the data folder, open to its owner alone. One that holds things already keeps its mode. */
export async function makeDataFolder(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  if ((await readdir(dataDir)).length === 0) await chmod(dataDir, 0o700);
}

/**
 * The folder in which the database is to be made: the data folder, or, where the user that PostgreSQL runs as can't
 * come into that, one under /var/lib/scopestate.
 */
export async function placeForCluster(dataDir: string, runAs: RunAs): Promise<string> {
  if (await canEnter(dirname(dataDir), runAs)) return dataDir;
  const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
  const place = join(machineFolder, name);
  await mkdir(place, { recursive: true, mode: 0o755 });
  return place;
}

/** The data folder shows where its database lies: to people, and to a start under another user. */
export async function linkCluster(dataDir: string, pgdata: string, log: Log): Promise<void> {
  await symlink(pgdata, join(dataDir, 'postgres')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  log.warn(
    { dataDir, pgdata },
    'the database is kept outside the data folder: the user that PostgreSQL runs as may not enter that',
  );
}

/** Lets PostgreSQL's user through the folder that holds PGDATA, without letting it list what else is there. */
export async function letThrough(folder: string, runAs: RunAs): Promise<void> {
  if (process.getuid?.() !== 0 || (await canEnter(folder, runAs))) return;
  const { uid, mode } = await stat(folder);
  await chmod(folder, (mode & 0o777) | (uid === runAs.uid ? 0o100 : 0o011));
}

/** Whether a process of that user, without root's privileges, gets to what lies in the folder. */
export async function canEnter(folder: string, runAs: RunAs): Promise<boolean> {
  if (process.getuid?.() !== 0) return true; // we are that user: the file system will say
  for (let path = folder; ; path = dirname(path)) {
    const { uid, gid, mode } = await stat(path);
    const bit = uid === runAs.uid ? 0o100 : gid === runAs.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (path === dirname(path)) return true;
  }
}
