import type { Pool, PoolClient } from '../database/pool.js';
import { read } from '../database/read.js';
import { inTransaction } from '../database/transaction.js';
import { micros, toInstant, utcClock } from '../scope-state/row.sql.js';
import { microsOfDuration } from '../time/duration.js';
import { history } from './change-row.sql.js';

/** What is older than the retention. */
export interface Prunable {
  readonly entries: number;
  /** of the youngest one; undefined where there is none */
  readonly until: Temporal.Instant | undefined;
}

/** So many at once: a transaction of some tens of milliseconds, which locks nothing that others wait for. */
const batchSize = 10_000;
/** One at a time, of all servers and commands: each takes the oldest. */
const pruneLock = 7_226_118_403_203n;

const cutoff = `(${utcClock} - $1::bigint * interval '1 microsecond')`;

/** Takes the oldest entries away, in the order of their numbers, in the role that owns the history. */
export class PruneRepository {
  private readonly pool: Pool;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /** Whether the pool's role may: it is the history's owner, or a member of that role. */
  async mayPrune(): Promise<boolean> {
    const [row] = await read<{ may: boolean }>(
      this.pool,
      `/* Prune.mayPrune */ select pg_has_role(relowner, 'member') as may from pg_class
       where oid = '${history}'::regclass`,
      [],
    );
    return row!.may;
  }

  async prunable(retention: Temporal.Duration): Promise<Prunable> {
    const [row] = await read<{ entries: string; until: string | null }>(
      this.pool,
      `/* Prune.prunable */ select count(*) as entries, ${micros('max(recorded_at)')} as until
       from ${history} where recorded_at < ${cutoff}`,
      [String(microsOfDuration(retention))],
    );
    const { entries, until } = row!;
    return { entries: Number(entries), until: until === null ? undefined : toInstant(until) };
  }

  /** One batch, in a transaction of its own. How many entries it took; fewer than a batch has: there are no more. */
  pruneBatch(retention: Temporal.Duration): Promise<{ pruned: number; isLast: boolean }> {
    return inTransaction(this.pool, async (client) => {
      if (!(await isAlone(client))) return { pruned: 0, isLast: true };
      await client.query(
        `/* Prune.asOwner */ select set_config('role', pg_get_userbyid(relowner), true) from pg_class
         where oid = '${history}'::regclass`,
      );
      const { rowCount } = await client.query(
        `/* Prune.batch */
         with oldest as (
           select sequence, recorded_at from ${history} order by sequence limit ${batchSize}
         ), old as (
           select sequence, recorded_at from (
             select *, bool_and(recorded_at < ${cutoff}) over (order by sequence) as is_old from oldest
           ) judged where is_old
         ), started as (
           update scopestate_history_start set
             sequence = (select max(sequence) from old),
             complete_since = greatest(complete_since, (select max(recorded_at) from old))
           where exists (select from old)
         )
         delete from ${history} h using old where h.sequence = old.sequence`,
        [String(microsOfDuration(retention))],
      );
      const pruned = rowCount ?? 0;
      return { pruned, isLast: pruned < batchSize };
    });
  }
}

async function isAlone(client: PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ alone: boolean }>(
    `/* Prune.isAlone */ select pg_try_advisory_xact_lock(${pruneLock}) as alone`,
  );
  return rows[0]!.alone;
}
