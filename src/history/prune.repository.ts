import type { Pool, PoolClient } from '../database/pool.js';
import { read } from '../database/read.js';
import { inTransaction } from '../database/transaction.js';
import { micros, toInstant, utcClock } from '../scope-state/row.sql.js';
import { microsOfDuration } from '../time/duration.js';
import { history } from './change-row.sql.js';

/** What is older than the retention, and has nothing younger before it. */
export interface Prunable {
  readonly entries: number;
  /** of the youngest one; undefined where there is none */
  readonly until: Temporal.Instant | undefined;
}

export interface HistoryOwner {
  readonly name: string;
  readonly mayPrune: boolean;
}

/** So many at once: a transaction of some tens of milliseconds, which locks nothing that others wait for. */
const batchSize = 10_000;
/** One at a time, of all servers and commands: each takes the oldest. */
const pruneLock = 7_226_118_403_203n;

export interface PrunedBatch {
  readonly pruned: number;
  /** the last one that was pruned; undefined: nothing was */
  readonly upTo: bigint | undefined;
  /** whether there is no more */
  readonly isLast: boolean;
}

const cutoff = `(${utcClock} - $1::bigint * interval '1 microsecond')`;

/** Takes the oldest entries away, in the order of their numbers, in the role that owns the history. */
export class PruneRepository {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /** Whom the history belongs to, and whether the pool's role may prune it: it is that one, or a member. */
  async owner(): Promise<HistoryOwner> {
    const [row] = await read<{ name: string; may: boolean }>(
      this.pool,
      `/* Prune.owner */ select pg_get_userbyid(relowner) as name, pg_has_role(relowner, 'member') as may
       from pg_class where oid = '${history}'::regclass`,
      [],
    );
    return { name: row!.name, mayPrune: row!.may };
  }

  async prunable(retention: Temporal.Duration): Promise<Prunable> {
    const [row] = await read<{ entries: string; until: string | null }>(
      this.pool,
      `/* Prune.prunable */
       with younger as (
         select sequence from ${history} where recorded_at >= ${cutoff} order by sequence limit 1
       )
       select count(*) as entries, ${micros('max(recorded_at)')} as until
       from ${history}
       where sequence < coalesce((select sequence from younger), (select max(sequence) + 1 from ${history}))`,
      [String(microsOfDuration(retention))],
    );
    const { entries, until } = row!;
    return { entries: Number(entries), until: until === null ? undefined : toInstant(until) };
  }

  /**
   * One batch, in a transaction of its own. `after` is where the one before it has ended: else each would pass by all that
   * those before it have taken. An entry that became visible late, below what was pruned, goes with the first batch.
   */
  pruneBatch(retention: Temporal.Duration, after = 0n): Promise<PrunedBatch> {
    return inTransaction(this.pool, async (client) => {
      if (!(await isAlone(client))) return { pruned: 0, upTo: undefined, isLast: true };
      await client.query(
        `/* Prune.asOwner */ select set_config('role', pg_get_userbyid(relowner), true) from pg_class
         where oid = '${history}'::regclass`,
      );
      const { rows } = await client.query<{ pruned: string; up_to: string | null }>(
        `/* Prune.batch */
         with oldest as (
           select sequence, recorded_at from ${history} where sequence > $2::bigint
           order by sequence limit ${batchSize}
         ), old as materialized (
           select sequence, recorded_at from (
             select *, bool_and(recorded_at < ${cutoff}) over (order by sequence) as is_old from oldest
           ) judged where is_old
         ), started as (
           update scopestate_history_start set
             sequence = greatest(sequence, (select max(sequence) from old)),
             complete_since = greatest(complete_since, (select max(recorded_at) from old))
           where exists (select from old)
         ), gone as (
           delete from ${history} h using old where h.sequence = old.sequence
         )
         select count(*) as pruned, max(sequence) as up_to from old`,
        [String(microsOfDuration(retention)), String(after)],
      );
      const pruned = Number(rows[0]!.pruned);
      const upTo = rows[0]!.up_to;
      return { pruned, upTo: upTo === null ? undefined : BigInt(upTo), isLast: pruned < batchSize };
    });
  }
}

async function isAlone(client: PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ alone: boolean }>(
    `/* Prune.isAlone */ select pg_try_advisory_xact_lock(${pruneLock}) as alone`,
  );
  return rows[0]!.alone;
}
