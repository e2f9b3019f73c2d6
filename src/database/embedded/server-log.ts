import { copyFile, open, stat, truncate, type FileHandle } from 'node:fs/promises';

/** Enough to see what went wrong, too little to fill a disk; the part before is kept in `postgres.log.1`. */
const logLimitBytes = 10 * 1024 * 1024;

/** Starts the log anew when it has grown too large. The postmaster appends, so that it can go on meanwhile. */
export async function boundServerLog(path: string): Promise<void> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= logLimitBytes) return;
  await copyFile(path, `${path}.1`);
  await truncate(path, 0);
}

/** Opens the log for a postmaster that is about to start, and tells where its part begins. */
export async function openServerLog(path: string): Promise<{ file: FileHandle; start: number }> {
  await boundServerLog(path);
  const file = await open(path, 'a', 0o600);
  return { file, start: (await file.stat()).size };
}

/** What the process wrote since `start`: two servers that start at once share the log, so lines are told by the pid. */
export async function serverLogLines(path: string, start: number, pid: number): Promise<string[]> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.min(Math.max(size - start, 0), 64 * 1024));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
    const own = lines.filter((line) => line.includes(`[${pid}] `));
    return own.length > 0 ? own : lines.filter((line) => line !== '');
  } finally {
    await file.close();
  }
}
