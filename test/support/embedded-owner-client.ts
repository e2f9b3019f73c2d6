import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

/** Connected as the owner of the embedded database that runs on this data folder. */
export async function connectAsOwner(dataDir: string): Promise<pg.Client> {
  const read = (...path: string[]) => readFile(join(dataDir, ...path), 'utf8');
  const owner = new pg.Client({
    host: '127.0.0.1',
    port: Number((await read('postgres', 'postmaster.pid')).split('\n')[3]),
    user: 'scopestate',
    password: (await read('postgres.password')).trim(),
    database: 'scopestate',
  });
  await owner.connect();
  return owner;
}
