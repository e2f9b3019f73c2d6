import type { Queryable, QueryConfig, QueryResultRow } from './pool.js';
import { asFault, wantsAnotherLook } from './faults.js';
import type { PreparedStatements } from './prepared-statements.js';

const mostLooks = 10;

/** Runs one statement that only reads, outside a transaction: it sees one snapshot. */
export function read<Row extends QueryResultRow>(
  queryable: Queryable,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  return look(queryable, () => ({ text, values }));
}

/** The same with a name: it is planned once a session, so its text must always be the same. */
export function readPrepared<Row extends QueryResultRow>(
  queryable: Queryable,
  statement: QueryConfig & { name: string },
  statements: PreparedStatements,
): Promise<Row[]> {
  return look(queryable, () => statements.named(statement), statements);
}

async function look<Row extends QueryResultRow>(
  queryable: Queryable,
  statement: () => QueryConfig,
  statements?: PreparedStatements,
): Promise<Row[]> {
  for (let look = 1; ; look++) {
    try {
      return (await queryable.query<Row>(statement())).rows;
    } catch (error) {
      if (statements?.isAtFault(error)) continue;
      // Where the sessions' default is SERIALIZABLE, PostgreSQL may ask a reader to start again.
      if (!wantsAnotherLook(error) || look === mostLooks) throw asFault(error);
    }
  }
}
