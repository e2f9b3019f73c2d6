import { copyInto } from '../database/copy.js';
import { lockTimeoutMillis } from '../database/deadlines.js';
import { LookAgain, wantsAnotherLook } from '../database/faults.js';
import type { Pool, PoolClient } from '../database/pool.js';
import { read } from '../database/read.js';
import { inTransaction } from '../database/transaction.js';
import { Unavailable } from '../fault.js';
import { asItWas, record } from '../scope-state/record.sql.js';
import { micros, table, toInstant, utcClock } from '../scope-state/row.sql.js';
import type { Conflict, OnConflict } from './conflict.rules.js';
import { refuseIfStopped } from './stop.rules.js';
import { copyRows, count, createRows, findRivals, judge, listConflicts, lock } from './import.sql.js';

export interface MergeWanted {
  readonly onConflict: OnConflict;
  /** false: all is done, and rolled back */
  readonly apply: boolean;
  /** aborted: nothing is done, unless the commit is already on its way */
  readonly signal: AbortSignal;
  /** so many rows were read, and are merged now */
  readonly onMerge: (rows: number) => void;
}

export interface Merged {
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  /** legacy rows whose states a unit has taken over, and still has: they are not put in once more */
  readonly takenOver: number;
  /** lines that say of their unit what another line says */
  readonly repeated: number;
  /** lines that gave way to what is stored or to another line; none under `fail` */
  readonly skipped: number;
  readonly conflicts: number;
  readonly partlyFilled: number;
  readonly firstConflicts: readonly Conflict[];
  /** false: a dry run, or conflicts under `fail` */
  readonly isApplied: boolean;
}

/** Sorts and hashes of a million rows: the default of 4 MB would spill them to disk. */
const workMemory = '64MB';

/** No request of a caller's: whoever may run the command on this database. */
const author = [`'import'`, 'null'];

const mostLooks = 10;
const mostListed = 20;

type Counts = Record<
  'rows' | 'units' | 'inserted' | 'updated' | 'unchanged' | 'skipped' | 'taken_over' | 'partly_filled',
  string
> & { ids: string };

/**
 * An import in one transaction: the rows are copied into a temporary table, then merged as a check or an advance works
 * (lock, look again, decide, write). The merge starts anew from a savepoint when another transaction has overtaken it; the
 * input need not be read twice.
 */
export class ImportRepository {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /** The database's clock. */
  async now(): Promise<Temporal.Instant> {
    const rows = await read<{ now: string }>(
      this.pool,
      `/* Import.now */ select ${micros(utcClock)} as now`,
      [],
    );
    return toInstant(rows[0]!.now);
  }

  /** Merges rows, as chunks of `copyLine`s; they are read once. */
  run(chunks: AsyncIterable<string>, wanted: MergeWanted): Promise<Merged> {
    return inTransaction(this.pool, async (client) => {
      await client.query(
        `set local statement_timeout = 0; set local lock_timeout = ${lockTimeoutMillis};
         set local work_mem = '${workMemory}'; ${createRows}`,
      );
      await copyInto(client, copyRows, chunks);
      const { rows } = await client.query<{ count: string }>(
        `/* Import.rows */ select count(*) from import_rows`,
      );
      wanted.onMerge(Number(rows[0]!.count));
      await client.query(`/* Import.analyze */ analyze import_rows`);
      return await this.mergeAtLast(client, wanted);
    });
  }

  private async mergeAtLast(client: PoolClient, wanted: MergeWanted): Promise<Merged> {
    for (let look = 1; look <= mostLooks; look++) {
      await client.query('savepoint merge');
      try {
        const merged = await this.merge(client, wanted);
        if (!merged.isApplied) await client.query('rollback to savepoint merge');
        refuseIfStopped(wanted.signal);
        return merged;
      } catch (error) {
        if (!wantsAnotherLook(error)) throw error;
        await client.query('rollback to savepoint merge');
      }
    }
    throw new Unavailable(`other writers were ahead ${mostLooks} times in a row; nothing was done`);
  }

  private async merge(client: PoolClient, { onConflict, apply, signal }: MergeWanted): Promise<Merged> {
    const locked = await client.query<{ ids: string }>(lock);
    refuseIfStopped(signal);
    await client.query(judge(onConflict));
    const counted = (await client.query<Counts>(count)).rows[0]!;
    // What was locked may be too little: a row that came while others were waited for could still change.
    if (counted.ids !== locked.rows[0]!.ids) throw new LookAgain('a row came while others were being locked');
    const numbers = numbersOf(counted);
    const rivals = (await client.query(findRivals(numbers.rows > numbers.units))).rowCount ?? 0;
    const conflicts = rivals + numbers.updated + numbers.skipped;
    const firstConflicts = conflicts === 0 ? [] : await this.list(client);
    const isRefused = onConflict === 'fail' && conflicts > 0;
    refuseIfStopped(signal);
    if (!isRefused) await this.write(client, numbers);
    return {
      ...numbers,
      repeated: numbers.rows - numbers.units - rivals,
      skipped: isRefused ? 0 : rivals + numbers.skipped,
      conflicts,
      firstConflicts,
      isApplied: apply && !isRefused,
    };
  }

  private async write(client: PoolClient, { inserted, updated }: Pick<Merged, 'inserted' | 'updated'>) {
    // Who goes back does so as an operator: a collector that is at work must not undo it.
    if (updated > 0) {
      await client.query(`/* Import.update */ with changed as (
        update ${table} s set
          last_processed_timestamp = u.at,
          active = coalesce(u.active, s.active),
          scope_activation_toggle_date =
            coalesce(u.toggled, case when u.active <> s.active then clock.now else s.scope_activation_toggle_date end),
          moved_by_operator = s.moved_by_operator or u.at < s.last_processed_timestamp,
          version = s.version + 1, revision = s.revision + 1, updated_at = clock.now
        from import_units u, ${table} o, (select ${utcClock} as now) clock
        where s.id = u.id and o.id = u.id and u.verdict = 'update'
        returning s.*, ${asItWas}
      ) ${record({ changed: 'changed', what: 'updated', kind: `'IMPORTED'` }, author)}`);
    }
    if (inserted === 0) return;
    // Without ON CONFLICT, which would look into each unique index once more: a unit that got its row meanwhile is another look.
    await client.query(`/* Import.insert */ with changed as (
      insert into ${table} (
        identifier, scope_key, collector, fetcher, last_processed_timestamp, active,
        scope_activation_toggle_date, updated_at
      )
      select identifier, scope_key, collector, fetcher, at, coalesce(u.active, true),
        coalesce(u.toggled, clock.now), clock.now
      from import_units u, (select ${utcClock} as now) clock
      where u.verdict = 'insert' order by identifier, scope_key, collector, fetcher
      returning *
    ) ${record({ changed: 'changed', what: 'created', kind: `'IMPORTED'` }, author)}`);
  }

  private async list(client: PoolClient): Promise<Conflict[]> {
    const columns = `c.line, array[c.identifier, c.scope_key, c.collector, c.fetcher]::text[] as unit,
      ${micros('c.at')} as at, c.active, ${micros('c.toggled')} as toggled, c.other_line,
      ${micros('c.other_at')} as other_at, c.other_active, ${micros('c.other_toggled')} as other_toggled`;
    const { rows } = await client.query<ConflictRow>(listConflicts(columns, mostListed));
    return rows.map((row) => ({
      line: Number(row.line),
      unit: row.unit,
      given: valuesOf(row.at, row.active, row.toggled),
      other: {
        line: row.other_line === null ? null : Number(row.other_line),
        ...valuesOf(row.other_at, row.other_active, row.other_toggled),
      },
    }));
  }
}

interface ConflictRow {
  line: string;
  unit: (string | null)[];
  at: string;
  active: boolean | null;
  toggled: string | null;
  other_line: string | null;
  other_at: string;
  other_active: boolean | null;
  other_toggled: string | null;
}

function valuesOf(at: string, active: boolean | null, toggled: string | null) {
  return {
    lastProcessedTimestamp: toInstant(at),
    active,
    scopeActivationToggleDate: toggled === null ? null : toInstant(toggled),
  };
}

function numbersOf({
  rows,
  units,
  inserted,
  updated,
  unchanged,
  skipped,
  taken_over,
  partly_filled,
}: Counts) {
  return {
    rows: Number(rows),
    units: Number(units),
    inserted: Number(inserted),
    updated: Number(updated),
    unchanged: Number(unchanged),
    skipped: Number(skipped),
    takenOver: Number(taken_over),
    partlyFilled: Number(partly_filled),
  };
}
