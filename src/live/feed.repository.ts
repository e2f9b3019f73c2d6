import { tellsOfTheDatabase } from '../database/faults.js';
import type { Queryable } from '../database/pool.js';
import { read, readInOrder } from '../database/read.js';
import { Unavailable } from '../fault.js';
import { changeColumns, history, toChange, type ChangeRow } from '../history/change-row.sql.js';
import type { Change } from '../history/change.rules.js';
import type { Range } from './sequence-order.rules.js';

/** Which changes there are to read. */
export interface Extent {
  /** those up to it were pruned */
  pruned: bigint;
  /** the highest that can be seen */
  newest: bigint;
}

/** A moment from which on every commit is to be seen. */
export interface Start {
  /** pg_snapshot as text */
  snapshot: string;
  newest: bigint;
}

interface ExtentRow extends Record<string, unknown> {
  pruned: string;
  newest: string;
}

const extent = `
  t.sequence as pruned,
  greatest(t.sequence, coalesce((select max(sequence) from ${history}), 0)) as newest
  from ${history}_start t`;

/** Reads the history as it grows. */
export class FeedRepository {
  /** The present moment, and what of the history can be seen in it. */
  async start(queryable: Queryable): Promise<Start> {
    const [row] = await read<ExtentRow & { snapshot: string }>(
      queryable,
      `/* Feed.start */ select pg_current_snapshot()::text as snapshot, ${extent}`,
      [],
    );
    return { snapshot: row!.snapshot, newest: BigInt(row!.newest) };
  }

  async extent(queryable: Queryable): Promise<Extent> {
    const [row] = await read<ExtentRow>(queryable, `/* Feed.extent */ select ${extent}`, []);
    return { pruned: BigInt(row!.pruned), newest: BigInt(row!.newest) };
  }

  /** Which course of which PostgreSQL this is: another one after a failover or a restore. Undefined: that is not told here. */
  async course(queryable: Queryable): Promise<string | undefined> {
    const asked = read<{ course: string } & Record<string, unknown>>(
      queryable,
      `/* Feed.course */ select system_identifier || ' ' || left(pg_walfile_name(pg_current_wal_lsn()), 8) as course
       from pg_control_system()`,
      [],
    );
    return asked.then(
      ([row]) => row?.course,
      (error: unknown) => {
        if (tellsOfTheDatabase(error) || error instanceof Unavailable) throw error;
        return undefined;
      },
    );
  }

  /**
   * The transactions that may have taken a number: whoever inserts locks the table before, and lets go of it after the
   * commit can be seen. Everybody may look at locks.
   */
  async holders(queryable: Queryable): Promise<string[]> {
    const rows = await read<{ holder: string }>(
      queryable,
      `/* Feed.holders */ select virtualtransaction as holder from pg_locks
       where locktype = 'relation' and relation = '${history}'::regclass and mode = 'RowExclusiveLock' and granted
         and database = (select oid from pg_database where datname = current_database())`,
      [],
    );
    return rows.map(({ holder }) => holder);
  }

  /** The changes of some ascending ranges, lowest first. */
  inRanges(queryable: Queryable, ranges: readonly Range[], limit: number): Promise<Change[]> {
    return changesOf(
      readInOrder,
      queryable,
      `/* Feed.inRanges */ select ${changeColumns('h')}
       from unnest($1::bigint[], $2::bigint[]) as wanted (low, high)
       cross join lateral (
         select * from ${history} where sequence between wanted.low and wanted.high order by sequence limit $3
       ) h order by h.sequence limit $3`,
      [ranges.map(({ from }) => String(from)), ranges.map(({ to }) => String(to)), limit],
    );
  }

  /**
   * Changes that had their number at the start, and were committed after it; asked for when all who may have written one have ended. After a restore entries
   * name transactions of another PostgreSQL, which may be still to come here: they are none.
   */
  late(queryable: Queryable, { snapshot, newest }: Start, after: bigint, limit: number): Promise<Change[]> {
    return changesOf(
      read,
      queryable,
      `/* Feed.late */ select ${changeColumns('h')} from ${history} h
       where transaction >= pg_snapshot_xmin($1::text::pg_snapshot)::text::bigint
         and transaction < pg_snapshot_xmax(pg_current_snapshot())::text::bigint
         and not pg_visible_in_snapshot(transaction::text::xid8, $1::text::pg_snapshot)
         and sequence <= $2 and sequence > $3
       order by sequence limit $4`,
      [snapshot, String(newest), String(after), limit],
    );
  }

  /** Settled changes after one and up to another; undefined where some of them were pruned. */
  async between(
    queryable: Queryable,
    after: bigint,
    upTo: bigint,
    limit: number,
  ): Promise<Change[] | undefined> {
    const rows = await readInOrder<ChangeRow & { is_pruned: boolean } & Record<string, unknown>>(
      queryable,
      // One row, which PostgreSQL does not know: it would take the join for dear enough to be compiled.
      `/* Feed.between */ select t.sequence > $1 as is_pruned, h.* from (select sequence from ${history}_start limit 1) t
       left join (
         select ${changeColumns('h')} from ${history} h
         where sequence > $1 and sequence <= $2 order by sequence limit $3
       ) h on true order by h.sequence`,
      [String(after), String(upTo), limit],
    );
    if (rows[0]?.is_pruned) return undefined;
    return rows.filter(({ sequence }) => sequence !== null).map(toChange);
  }
}

async function changesOf(
  ask: typeof read,
  queryable: Queryable,
  text: string,
  values: unknown[],
): Promise<Change[]> {
  const rows = await ask<ChangeRow & Record<string, unknown>>(queryable, text, values);
  return rows.map(toChange);
}
