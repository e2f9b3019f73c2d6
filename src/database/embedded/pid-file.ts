import { link, readFile, rename, unlink } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

/** What PostgreSQL writes to postmaster.pid; it grows line by line while the postmaster starts. */
export interface PidFile {
  text: string;
  pid: number | undefined;
  port: number | undefined;
  /** `starting` (sockets are open, perhaps in recovery), `ready`, `stopping`; undefined earlier */
  status: string | undefined;
}

export async function readPidFile(pgdata: string): Promise<PidFile | undefined> {
  const text = await readFile(join(pgdata, 'postmaster.pid'), 'utf8').catch(ifMissing);
  if (text === undefined) return undefined;
  const lines = text.split('\n');
  const wholeNumber = (line: string | undefined) => (line && /^\d+$/.test(line) ? Number(line) : undefined);
  return {
    text,
    // A last line without its line break may still be in the making.
    pid: lines.length > 1 ? wholeNumber(lines[0]) : undefined,
    port: lines.length > 4 ? wholeNumber(lines[3]) : undefined,
    status: lines[7]?.trim() || undefined,
  };
}

/**
 * Removes the pid file that was found to be stale, and no other: meanwhile a second start may have removed it too and
 * its live postmaster have written a new one. So it is taken away under another name, looked at, and put back if it is
 * not the one. (PostgreSQL's shared memory still keeps two postmasters apart while it is away.)
 */
export async function removeStalePidFile(pgdata: string, stale: PidFile): Promise<void> {
  const path = join(pgdata, 'postmaster.pid');
  const aside = join(pgdata, `postmaster.pid.${randomUUID()}`);
  const moved = await rename(path, aside).then(() => true, ifMissing);
  if (!moved) return;
  const text = await readFile(aside, 'utf8');
  if (text !== stale.text) await link(aside, path).catch(() => undefined); // fails if there is a still newer one
  await unlink(aside);
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
