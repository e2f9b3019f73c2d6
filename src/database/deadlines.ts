/** Longest wait for a connection, from the pool or to the server. */
export const connectTimeoutMillis = 5_000;

/** So long a connection is kept that nobody needs: a new one has to read, plan and map anew what this one knows. */
export const idleTimeoutMillis = 600_000;

/** After so much silence a connection is asked whether its other end is still there; routers forget those that say nothing. */
export const keepAliveMillis = 30_000;

/** Longest run of a statement, waiting for locks included; the database ends it and nothing is done. */
export const statementTimeoutMillis = 30_000;

/** So long may the database go on with a read when its caller has been told that it took too long. */
const readGraceMillis = 500;

/** Longest run of a statement that only reads for a caller who waits so long. */
export function readTimeoutMillisOf(deadlineMillis: number): number {
  return Math.min(statementTimeoutMillis, deadlineMillis + readGraceMillis);
}

/** Longest wait for statements that go first; as long as one of them may take. */
export const longestQueueMillis = statementTimeoutMillis;

/** Longest wait for an answer; beyond the database's own limit, so that it tells only of a database that is gone. */
export const queryTimeoutMillis = 35_000;

/** Longest wait at the end for statements whose callers are gone: the database rolls them back by itself. */
export const longestCloseMillis = 1_000;

/** A change of many states may be of the whole table: a million rows take about half a minute on a small machine. */
const manyStatesTimeoutMillis = 600_000;

/** What it has locked by then keeps others waiting: it gives up, and nothing was done, rather than hold all for one. */
export const lockTimeoutMillis = 10_000;

/** First statement of a transaction that changes many states. */
export const forManyStates = `set local statement_timeout = ${manyStatesTimeoutMillis}; set local lock_timeout = ${lockTimeoutMillis}`;

/** Of each query in it: the database's own limit comes first. */
export const patientQuery = { query_timeout: manyStatesTimeoutMillis + 5_000 };
