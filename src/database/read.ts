import type { Pool, Queryable, QueryConfig, QueryResult, QueryResultRow } from './pool.js';
import { asFault, wantsAnotherLook } from './faults.js';
import type { PreparedStatements } from './prepared-statements.js';

const mostLooks = 10;

/** How long the database may work on a read, of pools that bound it. */
const readTimeouts = new WeakMap<Queryable, number>();

/** From now on the database ends a read of this pool after so long, waiting for locks included. */
export function limitReads(pool: Pool, timeoutMillis: number): void {
  readTimeouts.set(pool, timeoutMillis);
}

/** Runs one statement that only reads: it sees one snapshot. */
export function read<Row extends QueryResultRow>(
  queryable: Queryable,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  const timeoutMillis = readTimeouts.get(queryable);
  const statement = { text, values };
  return look(async () => {
    const { rows } =
      timeoutMillis === undefined
        ? await queryable.query<Row>(statement)
        : await readWithin<Row>(queryable as Pool, timeoutMillis, statement);
    return rows;
  });
}

/**
 * The same with a name: it is planned once a session, so its text must always be the same. Only the driver bounds it, a
 * little later: a point read would cost the database half as much again, and look-ups hold few connections, however many wait.
 */
export function readPrepared<Row extends QueryResultRow>(
  queryable: Queryable,
  statement: QueryConfig & { name: string },
  statements: PreparedStatements,
): Promise<Row[]> {
  return look(async () => (await queryable.query<Row>(statements.named(statement))).rows, statements);
}

async function look<Row>(ask: () => Promise<Row[]>, statements?: PreparedStatements): Promise<Row[]> {
  for (let look = 1; ; look++) {
    try {
      return await ask();
    } catch (error) {
      if (statements?.isAtFault(error)) continue;
      // Where the sessions' default is SERIALIZABLE, PostgreSQL may ask a reader to start again.
      if (!wantsAnotherLook(error) || look === mostLooks) throw asFault(error);
    }
  }
}

/**
 * In a transaction for the sake of SET LOCAL: a setting of the session's would stay behind in a pooler's, and poolers
 * refuse one of the connection's. All goes out together, in one trip.
 */
async function readWithin<Row extends QueryResultRow>(
  pool: Pool,
  timeoutMillis: number,
  statement: QueryConfig,
): Promise<QueryResult<Row>> {
  const client = await pool.connect();
  const [begun, found, ended] = await Promise.allSettled([
    client.query(`begin read only; set local statement_timeout = ${timeoutMillis}`),
    client.query<Row>(statement),
    client.query('commit'),
  ]);
  client.release(ended.status === 'rejected'); // a failed statement leaves a sound session: its COMMIT rolled back
  if (found.status === 'rejected') throw found.reason;
  if (begun.status === 'rejected') throw begun.reason;
  return found.value;
}
