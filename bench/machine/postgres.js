import { mkdtemp, rm } from 'node:fs/promises';
import { totalmem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../../dist/database/embedded/embedded-postgres.js';
import { createLog } from '../../dist/log.js';
import { withClient } from '../data/databases.js';

/** A quarter of the memory, as PostgreSQL's manual advises: no server is to read the pages anew that another's copy displaced. */
const sharedMegabytes = Math.min(8_192, Math.floor(totalmem() / 4 / 2 ** 20));

/** Durability is as PostgreSQL ships it. The rest keeps its own housekeeping out of the measured seconds. */
const settings = {
  shared_buffers: `${sharedMegabytes}MB`,
  max_connections: '300', // a pool of 20 for each server, all at once
  max_wal_size: '16GB', // no checkpoint while measuring
  checkpoint_timeout: '1h',
  autovacuum: 'off', // done between the rounds instead
};

/** The embedded PostgreSQL in a temporary data folder; `stop` removes it. */
export async function startPostgres() {
  const folder = await mkdtemp(join(tmpdir(), 'scopestate-bench-'));
  const start = () => startEmbeddedPostgres({ dataDir: join(folder, 'data'), log: createLog('warn') });
  let running;
  try {
    running = await start();
    await withClient(running.url, async (client) => {
      for (const [name, value] of Object.entries(settings)) {
        await client.query(`alter system set ${name} = '${value}'`);
      }
    });
    await running.stop();
    running = undefined;
    running = await start();
    const about = await withClient(running.url, describe);
    return {
      url: running.url,
      folder,
      ...about,
      stop: async () => {
        await running.stop();
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await running?.stop();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function describe(client) {
  const { rows } = await client.query(
    `select name, current_setting(name) as value from pg_settings
     where name in ('server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers')`,
  );
  const shown = Object.fromEntries(rows.map(({ name, value }) => [name, value]));
  for (const name of ['fsync', 'synchronous_commit', 'full_page_writes']) {
    if (shown[name] !== 'on') throw new Error(`${name} is ${shown[name]}: nothing measured would count`);
  }
  const { rows: files } = await client.query(
    `select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int as pid`,
  );
  return { pid: files[0].pid, settings: shown };
}
