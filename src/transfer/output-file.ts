import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { OperatorError } from '../fault.js';

/**
 * Writes a file as a whole: beside its place, and then, when all of it is on the disk, into it. Whoever is killed on the way
 * leaves the file that was there before.
 */
export async function writeWhole(path: string, write: (stream: Writable) => Promise<void>): Promise<void> {
  const beside = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    const file = await open(beside, 'wx');
    await write(file.createWriteStream({ flush: true }));
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    const { code, syscall, message } = error as NodeJS.ErrnoException;
    if (syscall === undefined || code === undefined) throw error;
    throw new OperatorError(`can't write ${path} (${code}): ${message}`, { cause: error });
  }
}
