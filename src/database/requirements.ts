import type { Pool, Queryable, QueryResultRow } from './pool.js';
import { read } from './read.js';
import { OperatorError } from '../fault.js';

const oldestVersion = 15;

interface Settings extends QueryResultRow {
  version: number;
  encoding: string;
  fsync: string;
  full_page_writes: string;
  synchronous_commit: string;
  unlogged: string[];
}

/** What a database must be for the promises to hold: recent enough, UTF8, and durable when it says so. */
export async function requireFitDatabase(pool: Pool): Promise<void> {
  const faults = await unfitnessOf(pool);
  if (faults.length > 0) throw new OperatorError(`this database does not fit: ${faults.join('; ')}`);
}

/** What keeps a database from being one, each in a clause. */
export async function unfitnessOf(queryable: Queryable): Promise<string[]> {
  const rows = await read<Settings>(
    queryable,
    `/* unfitnessOf */ select
       current_setting('server_version_num')::int / 10000 as version,
       current_setting('server_encoding') as encoding,
       current_setting('fsync') as fsync,
       current_setting('full_page_writes') as full_page_writes,
       current_setting('synchronous_commit') as synchronous_commit,
       array(
         select relname::text from pg_class
         where oid in (to_regclass('cloudkitty_storage_states'), to_regclass('scopestate_history'), to_regclass('scopestate_tokens'))
           and relpersistence <> 'p' order by relname
       ) as unlogged`,
    [],
  );
  return rows.flatMap(faultsOf);
}

function faultsOf(found: Settings): string[] {
  const faults: string[] = [];
  if (found.version < oldestVersion) {
    faults.push(`it is PostgreSQL ${found.version}, and ${oldestVersion} or later is needed`);
  }
  if (found.encoding !== 'UTF8') faults.push(`its encoding is ${found.encoding}, and UTF8 is needed`);
  for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit'] as const) {
    if (found[setting] === 'off') {
      faults.push(`its ${setting} is off, and an acknowledged state could be lost: switch it on`);
    }
  }
  for (const name of found.unlogged) {
    faults.push(`its table ${name} is unlogged, and a crash would empty it: alter table ${name} set logged`);
  }
  return faults;
}
