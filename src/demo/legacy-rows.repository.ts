import type { Pool } from '../database/pool.js';
import { inTransaction } from '../database/transaction.js';

/** A state as CloudKitty kept it before collection units: the API can't make one. */
export interface LegacyRow {
  readonly scopeId: string;
  /** RFC 3339, in UTC */
  readonly lastProcessedTimestamp: string;
}

const insertStatement = `/* demo: LegacyRows.insert */
insert into cloudkitty_storage_states (identifier, last_processed_timestamp)
select wanted.identifier, timezone('utc', wanted.at)
from unnest($1::text[], $2::timestamptz[]) as wanted (identifier, at)
where not exists (select from cloudkitty_storage_states s where s.identifier = wanted.identifier)
on conflict do nothing`;

/** Inserts those whose scope id has no row at all: one that was backfilled does not come back. How many it were. */
export function insertLegacyRows(pool: Pool, rows: readonly LegacyRow[]): Promise<number> {
  return inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(insertStatement, [
      rows.map(({ scopeId }) => scopeId),
      rows.map(({ lastProcessedTimestamp }) => lastProcessedTimestamp),
    ]);
    return rowCount ?? 0;
  });
}
