import type { Queryable, QueryResultRow } from './pool.js';
import { asFault, wantsAnotherLook } from './faults.js';

const mostLooks = 10;

/** Runs one statement that only reads, outside a transaction: it sees one snapshot. */
export async function read<Row extends QueryResultRow>(
  queryable: Queryable,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  for (let look = 1; ; look++) {
    try {
      return (await queryable.query<Row>(text, values)).rows;
    } catch (error) {
      // Where the sessions' default is SERIALIZABLE, PostgreSQL may ask a reader to start again.
      if (!wantsAnotherLook(error) || look === mostLooks) throw asFault(error);
    }
  }
}
