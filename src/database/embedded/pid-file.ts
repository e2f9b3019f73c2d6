import { open, readFile } from 'node:fs/promises';
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

/** No process has it: Linux counts to 2^22 at most, other systems less far. */
const nobody = 2 ** 31 - 1;

/**
 * Names nobody in the pid file that was found to be stale, and in no other: PostgreSQL then removes it itself, where one that names
 * a process that lives, or none, would stop it. Meanwhile another start may have removed it, too, and its live postmaster have
 * written a new one. So the file that is opened is the one that is looked at and written; a new one is another. It stays at its
 * place for that: a postmaster that starts writes to it again and again, and never says that it is ready when it is not found there.
 */
export async function disownPidFile(pgdata: string, stale: PidFile): Promise<void> {
  const file = await open(join(pgdata, 'postmaster.pid'), 'r+').catch(ifMissing);
  if (file === undefined) return;
  try {
    if ((await file.readFile('utf8')) !== stale.text) return;
    const [, ...rest] = stale.text.split('\n');
    await file.write([nobody, ...(rest.length > 0 ? rest : [''])].join('\n'), 0);
  } finally {
    await file.close();
  }
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
