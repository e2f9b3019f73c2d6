import type { Line } from './line.js';
import type { Pool, PoolClient } from './pool.js';
import { OutcomeUnknown, Unavailable } from '../fault.js';
import { statementTimeoutMillis } from './deadlines.js';
import { asFault, sqlStateOf, tellsOfALostSession, tellsOfTheDatabase, wantsAnotherLook } from './faults.js';

/** So many snapshots in a row have been overtaken only when something else is wrong. */
export const mostLooks = 50;

/** Independent of the session's defaults; SET LOCAL also holds behind a pooler that shares sessions. */
export const begin = [
  'begin isolation level read committed',
  `set local statement_timeout = ${statementTimeoutMillis}`,
  `set local idle_in_transaction_session_timeout = ${statementTimeoutMillis}`,
  // Our statements write their own entries of the history: the trigger for other writers keeps out of it.
  `set local scopestate.records_history = 'on'`,
  // Acknowledged means durable, also when somebody has switched that off since the start.
  `select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') = 'off'`,
].join('; ');

/**
 * Runs `work` in a transaction and answers only after the commit. A transaction that another overtook (a unique
 * violation, a deadlock, `LookAgain`) is rolled back and done again with a new snapshot.
 *
 * @throws Unavailable when the database is at fault; nothing was done
 * @throws OutcomeUnknown when the connection broke while the COMMIT was on its way
 */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  for (let look = 1; look <= mostLooks; look++) {
    const client = await connect(pool);
    let result: T;
    try {
      await client.query(begin);
      result = await work(client);
    } catch (error) {
      await rollBack(client, error);
      if (wantsAnotherLook(error)) continue;
      throw asFault(error);
    }
    await commit(client);
    return result;
  }
  throw new Unavailable(`other writers were ahead ${mostLooks} times in a row; nothing was done`);
}

/** The same for one of those who take turns, as they hold a connection for long. @throws Unavailable when the line is too long, too */
export function inTurn<T>(line: Line, pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  return line.pass(() => inTransaction(pool, work));
}

export async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw new Unavailable('the database can not be reached; nothing was done', { cause: error });
  }
}

export async function rollBack(client: PoolClient, error: unknown): Promise<void> {
  // A session that gave no answer in time would give none to a rollback either: the caller would wait twice as long.
  if (sqlStateOf(error) === undefined && tellsOfTheDatabase(error)) return client.release(true);
  try {
    await client.query('rollback');
    client.release();
  } catch {
    client.release(true); // a session that can't roll back is closed, which rolls back
  }
}

/**
 * Whether a session goes on behind an error of its COMMIT: then that was rolled back. One that ends may have been committed before: its
 * server met a fault while it wrote its log, or a pooler let go of it. The words, and most codes, of both are the same.
 */
export async function goesOn(client: PoolClient, error: unknown): Promise<boolean> {
  if (tellsOfALostSession(error)) return false;
  return client.query('rollback').then(
    () => true,
    () => false,
  );
}

async function commit(client: PoolClient): Promise<void> {
  try {
    const { command } = await client.query('commit');
    // PostgreSQL answers the COMMIT of a failed transaction with ROLLBACK, and without an error.
    if (command !== 'COMMIT') throw new Unavailable('the transaction was rolled back; nothing was done');
    client.release();
  } catch (error) {
    const isKnown = error instanceof Unavailable || (await goesOn(client, error));
    client.release(!isKnown);
    if (isKnown) throw asFault(error);
    throw new OutcomeUnknown('the connection broke while the commit was on its way', { cause: error });
  }
}
