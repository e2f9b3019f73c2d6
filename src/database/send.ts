import { Query } from 'pg';
import type { Pool, Queryable, QueryConfig, QueryResult, QueryResultRow } from './pool.js';

/** What of the driver's query its types don't tell: where it keeps what was answered. */
interface Keeping {
  _result?: unknown;
  _results?: unknown;
}

/**
 * Sends a statement, as the driver's own `query` does. A query that the driver made itself keeps its rows within reach of
 * V8's collector of young garbage after they have been answered: all of them grew old, at ten times the cost of a row that
 * dies young (bench/NOTES.md).
 */
export function send<Row extends QueryResultRow>(
  session: Queryable,
  statement: string | QueryConfig,
): Promise<QueryResult<Row>> {
  const { promise, resolve, reject } = Promise.withResolvers<QueryResult<Row>>();
  const query: Query<Row> & Keeping = new Query<Row>(statement, undefined, (error, result) => {
    if (error) {
      Error.captureStackTrace(error); // where it was sent from, not where its answer was read
      return reject(error);
    }
    query._result = query._results = undefined;
    resolve(result);
  });
  session.query(query);
  return promise;
}

/** The same on a session of the pool's, which goes back to it only if all went well. */
export async function sendThrough<Row extends QueryResultRow>(
  pool: Pool,
  statement: QueryConfig,
): Promise<QueryResult<Row>> {
  const client = await pool.connect();
  try {
    const result = await send<Row>(client, statement);
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    throw error;
  }
}
