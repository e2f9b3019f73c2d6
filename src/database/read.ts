import type { Queryable, QueryResultRow } from './pool.js';
import { asFault, wantsAnotherLook } from './faults.js';

const mostLooks = 10;

/** Runs one statement that only reads, outside a transaction: it sees one snapshot. With a name it is planned once a session. */
export async function read<Row extends QueryResultRow>(
  queryable: Queryable,
  text: string,
  values: unknown[],
  name?: string,
): Promise<Row[]> {
  for (let look = 1; ; look++) {
    try {
      return (await queryable.query<Row>({ text, values, ...(name !== undefined && { name }) })).rows;
    } catch (error) {
      // Where the sessions' default is SERIALIZABLE, PostgreSQL may ask a reader to start again.
      if (!wantsAnotherLook(error) || look === mostLooks) throw asFault(error);
    }
  }
}
