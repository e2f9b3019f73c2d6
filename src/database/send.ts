import { Query } from 'pg';
import type { Pool, Queryable, QueryConfig, QueryResult, QueryResultRow } from './pool.js';

/** What of the driver's query its types don't tell. */
interface Kept {
  /** what was answered */
  _result?: unknown;
  _results?: unknown;
}

/**
 * Sends a statement, as the driver's own `query` does. V8 makes a function that is assigned to a property old at
 * once, and the driver's own promise and timeout are two such: whatever they could reach grew old with them, all rows of
 * all answers, at ten times the cost of rows that die young (bench/NOTES.md). So a query is made to keep nothing.
 */
export function send<Row extends QueryResultRow>(
  session: Queryable,
  statement: string | QueryConfig,
): Promise<QueryResult<Row>> {
  const { promise, resolve, reject } = Promise.withResolvers<QueryResult<Row>>();
  const asked = typeof statement === 'string' ? { text: statement } : { ...statement }; // the driver writes into it
  const query: Query<Row> & Kept = new Query<Row>(asked, undefined, (error, result) => {
    if (error) return reject(error);
    query._result = query._results = undefined;
    resolve(result);
  });
  session.query(query);
  return promise.catch((error: Error) => {
    Error.captureStackTrace(error); // of who waits for it: the driver's is of who read the answer
    throw error;
  });
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
