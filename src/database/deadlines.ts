/** Longest wait for a connection, from the pool or to the server. */
export const connectTimeoutMillis = 5_000;

/** Longest run of a statement, waiting for locks included; the database ends it and nothing is done. */
export const statementTimeoutMillis = 30_000;

/** Longest wait for an answer; beyond the database's own limit, so that it tells only of a database that is gone. */
export const queryTimeoutMillis = 35_000;

/** Longest wait at the end for statements whose callers are gone: the database rolls them back by itself. */
export const longestCloseMillis = 1_000;
