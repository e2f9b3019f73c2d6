import { randomBytes, randomUUID } from 'node:crypto';
import { link, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../../fault.js';

const pathIn = (dataDir: string) => join(dataDir, 'postgres.password');

/** The password of the database in `pgdata`. */
export async function readPassword(dataDir: string, pgdata: string): Promise<string> {
  const password = await readFile(pathIn(dataDir), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new OperatorError(
      `${pathIn(dataDir)} is missing: without it the database in ${pgdata} can't be opened; ` +
        'bring it back from a backup, or move that database away to begin with an empty one',
    );
  });
  if (password.trim() === '') {
    throw new OperatorError(`${pathIn(dataDir)} is empty: bring the right password back from a backup`);
  }
  return password.trim();
}

/** Makes the password before its database. Whoever links it first wins, so two starts at once agree on one. */
export async function ensurePassword(dataDir: string): Promise<string> {
  const draft = `${pathIn(dataDir)}.${randomUUID()}`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(`${randomBytes(24).toString('base64url')}\n`); // needs no escaping in a URL
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, pathIn(dataDir)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await unlink(draft).catch(() => undefined);
  }
  return (await readFile(pathIn(dataDir), 'utf8')).trim();
}
