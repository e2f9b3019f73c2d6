import type { SqlEntityManager as EntityManager } from '@mikro-orm/postgresql';
import { Migrator } from '@mikro-orm/migrations';
import { OperatorError, Unavailable } from '../fault.js';
import { asFault, sqlStateOf } from './faults.js';
import type { Database } from './database.js';
import type { Queryable } from './pool.js';
import { read } from './read.js';
import { formatDuration } from '../time/duration.js';

/** Two servers that start at once must not both migrate; the number is ours alone, and has no other meaning. */
const migrationLock = 7_226_118_403_201n;

export interface MigrationStatus {
  executed: string[];
  pending: string[];
  /** executed by a newer scopestate: this one must keep its hands off */
  unknown: string[];
}

export interface MigrateOptions {
  /** which one stays where several rows stand for one unit; without it, duplicates stop the migration */
  onDuplicate?: 'keep-earliest' | 'keep-latest' | undefined;
  /** how long to wait for the table while others use it; meanwhile whoever comes later waits behind us */
  lockTimeout?: Temporal.Duration | undefined;
  /** does it all and takes it back */
  dryRun?: boolean | undefined;
}

export interface MigrateResult {
  applied: string[];
  /** the rows that `onDuplicate` dropped, as JSON */
  dropped: string[];
}

/** Rolls the transaction of a dry run back. */
class TakenBack extends Error {
  readonly result: MigrateResult;

  constructor(result: MigrateResult) {
    super();
    this.result = result;
  }
}

const usualLockTimeout = Temporal.Duration.from({ seconds: 10 });
const lockNotAvailable = '55P03';

/** What other sessions work on, in the order in which advances lock them. */
const tablesInUse = ['cloudkitty_storage_states', 'scopestate_history'];

/** MikroORM's own one makes the database and its table before, and so outside of, the transaction that it is given. */
class TransactionalMigrator extends Migrator {
  protected override async init(): Promise<void> {}
}

/** Which migrations the database has seen. Reads only: nothing is created by asking. */
export async function migrationStatus(
  { orm, pool }: Database,
  queryable: Queryable = pool,
): Promise<MigrationStatus> {
  const known = (orm.config.get('migrations').migrationsList ?? []).map(({ name }) => String(name));
  const executed = await executedMigrations(queryable);
  return {
    executed: known.filter((name) => executed.has(name)),
    pending: known.filter((name) => !executed.has(name)),
    unknown: [...executed].filter((name) => !known.includes(name)),
  };
}

/** @throws OperatorError when a newer scopestate has migrated this database */
export function refuseNewerSchema(status: MigrationStatus): void {
  if (status.unknown.length === 0) return;
  throw new OperatorError(
    `this database was migrated by a newer scopestate (${status.unknown.join(', ')}): run that version or a later one`,
  );
}

/** Applies what is pending, all in one transaction: a failure leaves the database as it was. */
export async function migrateUp(database: Database, options: MigrateOptions = {}): Promise<MigrateResult> {
  const { lockTimeout = usualLockTimeout } = options;
  const migrator = new TransactionalMigrator(database.orm.em);
  try {
    return await database.orm.em.fork().transactional(
      async (em) => {
        await em.execute(`select pg_advisory_xact_lock(${migrationLock})`);
        const status = await migrationStatus(database);
        refuseNewerSchema(status);
        if (status.pending.length > 0) await lockTables(em, lockTimeout);
        database.orm.config.set('schema', await schemaOfMigrations(em));
        await em.execute(
          `select set_config('scopestate.on_duplicate', '${options.onDuplicate ?? ''}', true)`,
        );
        const applied = await migrator.up({ transaction: em.getTransactionContext<unknown>() });
        const [dropped] = await em.execute<{ exists: boolean }[]>(
          `select to_regclass('pg_temp.scopestate_dropped_duplicates') is not null as exists`,
        );
        const rows = dropped?.exists
          ? await em.execute(`select * from pg_temp.scopestate_dropped_duplicates`)
          : [];
        const result = {
          applied: applied.map(({ name }) => name),
          dropped: rows.map((row) => JSON.stringify(row)),
        };
        if (options.dryRun) throw new TakenBack(result);
        return result;
      },
      // Who waited for the lock must see what its holder has done, whatever the sessions' default is.
      { isolationLevel: 'read committed' },
    );
  } catch (error) {
    if (error instanceof TakenBack) return error.result;
    if (error instanceof OperatorError) throw error;
    if (sqlStateOf(error) === lockNotAvailable) throw stillLocked(lockTimeout, error);
    if (error instanceof Error && sqlStateOf(error) === undefined) {
      const fault = asFault(error);
      throw fault instanceof Unavailable ? fault : new OperatorError(error.message, { cause: error });
    }
    throw new OperatorError(`the migration failed, and nothing was changed: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Before anything is read of them: what is found must still be so when it is changed. Who may not lock one can't change it. */
async function lockTables(em: EntityManager, timeout: Temporal.Duration): Promise<void> {
  await em.execute(`set local lock_timeout = '${Math.ceil(timeout.total('milliseconds'))}ms'`);
  for (const table of tablesInUse) {
    await em.execute(`do $$ begin
      if has_table_privilege(to_regclass('${table}'), 'update, delete, truncate') then
        lock table ${table} in access exclusive mode;
      end if;
    end $$`);
  }
}

/** Where they were noted down before, or else where this session makes tables; MikroORM takes it for `public` unless it is told. */
async function schemaOfMigrations(em: EntityManager): Promise<string> {
  const [found] = await em.execute<{ schema: string }[]>(
    `select coalesce(min(nspname), current_schema()) as schema
     from pg_class t join pg_namespace n on n.oid = relnamespace where t.oid = to_regclass('scopestate_migrations')`,
  );
  return found!.schema;
}

function stillLocked(timeout: Temporal.Duration, cause: unknown): OperatorError {
  return new OperatorError(
    `other sessions have used ${tablesInUse.join(' or ')} for ${formatDuration(timeout)} without a break; nothing was changed. ` +
      'Stop them for a moment (CloudKitty, long transactions), or wait longer with --lock-timeout',
    { cause },
  );
}

async function executedMigrations(queryable: Queryable): Promise<Set<string>> {
  const [table] = await read<{ exists: boolean }>(
    queryable,
    `select to_regclass('scopestate_migrations') is not null as exists`,
    [],
  );
  if (!table?.exists) return new Set();
  const executed = await read<{ name: string }>(
    queryable,
    `select name from scopestate_migrations order by id`,
    [],
  );
  return new Set(executed.map(({ name }) => name));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
