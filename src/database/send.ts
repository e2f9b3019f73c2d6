import { Query } from 'pg';
import { BoundedQuery } from './bounded-query.js';
import { tellsOfALostSession } from './faults.js';
import type { Pool, PoolClient, Queryable, QueryConfig, QueryResult, QueryResultRow } from './pool.js';

/** What of the driver's query its types don't tell. */
interface Kept {
  /** what was answered */
  _result?: unknown;
  _results?: unknown;
}

/** A row whose fields are read by their place, as the database wrote them: the driver makes nothing of them. */
export type Texts = readonly (string | null)[];

/** Has a statement's rows as `Texts`. */
export const asTexts = { rowMode: 'array', types: { getTypeParser: () => (text: string) => text } } as const;

type Done<Row extends QueryResultRow> = (error: Error | undefined, result: QueryResult<Row>) => void;

/** Sends a statement, as the driver's own `query` does. */
export function send<Row extends QueryResultRow>(
  session: Queryable,
  statement: string | QueryConfig,
): Promise<QueryResult<Row>> {
  const asked = typeof statement === 'string' ? { text: statement } : { ...statement }; // the driver writes into it
  return sendQuery<Row>(session, (done) => new Query<Row>(asked, undefined, done));
}

/** Sends it in a transaction of its own, behind settings that the session knows and that end with it, in one trip. */
export function sendBehind<Row extends QueryResultRow>(
  session: Queryable,
  settings: QueryConfig,
  statement: QueryConfig,
): Promise<QueryResult<Row>> {
  // The driver takes what is parsed first for the named one: where the settings are parsed each time, nothing has a name.
  const { name, ...nameless } = statement;
  const asked = name === undefined || settings.name === undefined ? nameless : statement;
  return sendQuery<Row>(session, (done) => new BoundedQuery(asked, settings, done as Done<QueryResultRow>));
}

/**
 * V8 makes a function that is assigned to a property old at once, and the driver's own promise and timeout are two such:
 * whatever they could reach grew old with them, all rows of all answers, at ten times the cost of rows that die young
 * (bench/NOTES.md). So a query is made to keep nothing.
 */
function sendQuery<Row extends QueryResultRow>(
  session: Queryable,
  make: (done: Done<Row>) => Query,
): Promise<QueryResult<Row>> {
  const { promise, resolve, reject } = Promise.withResolvers<QueryResult<Row>>();
  const query: Query & Kept = make((error, result) => {
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

/** What is sent to a session of the pool's, which goes back to it if it is sound. */
export async function sendThrough<T>(pool: Pool, work: (session: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    const result = await work(client);
    client.release();
    return result;
  } catch (error) {
    client.release(tellsOfALostSession(error));
    throw error;
  }
}
