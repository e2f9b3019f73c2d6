import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { OperatorError } from '../fault.js';

/**
 * Writes a file as a whole: beside its place, and then, when all of it is on the disk, into it. Whoever is killed on the way
 * leaves the file that was there before. A link stays, and so does a file's mode; a device or a pipe is written as it is.
 */
export async function writeWhole(path: string, write: (stream: Writable) => Promise<void>): Promise<void> {
  try {
    const place = (await realpath(path).catch(ifMissing)) ?? path;
    const found = await stat(place).catch(ifMissing);
    if (found && !found.isFile()) await write((await open(place, 'w')).createWriteStream());
    else await replace(place, found?.mode, write);
  } catch (error) {
    const { code, syscall, message } = error as NodeJS.ErrnoException;
    if (syscall === undefined || code === undefined) throw error;
    throw new OperatorError(`can't write ${path} (${code}): ${message}`, { cause: error });
  }
}

async function replace(
  place: string,
  mode: number | undefined,
  write: (stream: Writable) => Promise<void>,
): Promise<void> {
  const beside = join(dirname(place), `.${basename(place)}.${process.pid}.tmp`);
  try {
    const file = await open(beside, 'wx', mode);
    if (mode !== undefined) await file.chmod(mode);
    await write(file.createWriteStream({ flush: true }));
    await rename(beside, place);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
