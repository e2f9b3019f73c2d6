import { asFault } from './faults.js';
import type { Pool, PoolClient, Queryable, QueryResultRow } from './pool.js';
import { Unavailable } from '../fault.js';

/** Nothing in it waits for a lock, and its reader may be slow. */
const begin = [
  'begin isolation level repeatable read read only',
  'set local statement_timeout = 0',
  'set local idle_in_transaction_session_timeout = 0',
].join('; ');

const rowsAtOnce = 500;

/** The rows of a statement, some at a time, all of one snapshot: writers go on and are not seen. */
export async function* readSnapshot<Row extends QueryResultRow>(
  pool: Pool,
  name: string,
  text: string,
  values: unknown[],
): AsyncGenerator<Row[]> {
  const client = await connect(pool);
  let isBroken = true;
  try {
    await client.query(begin);
    yield* fetchAll<Row>(client, name, text, values);
    await client.query('rollback');
    isBroken = false;
  } catch (error) {
    throw asFault(error);
  } finally {
    client.release(isBroken); // closed, if its reader has left early: that rolls back
  }
}

/** The rows of a statement, some at a time; inside of a transaction. */
export async function* fetchAll<Row extends QueryResultRow>(
  client: Queryable,
  name: string,
  text: string,
  values: unknown[] = [],
): AsyncGenerator<Row[]> {
  await client.query(`/* ${name} */ declare scopestate_rows no scroll cursor for ${text}`, values);
  for (;;) {
    const { rows } = await client.query<Row>(`/* ${name} */ fetch ${rowsAtOnce} from scopestate_rows`);
    if (rows.length === 0) return;
    yield rows;
  }
}

async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw new Unavailable('the database can not be reached', { cause: error });
  }
}
