import type { Pool, Queryable, QueryConfig, QueryResult, QueryResultRow } from './pool.js';
import { asFault, wantsAnotherLook } from './faults.js';
import { inOneWrite } from './one-write.js';
import type { PreparedStatements } from './prepared-statements.js';
import { send, sendThrough } from './send.js';

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
  const statement = { text, values };
  return look(async () => {
    const { rows } = await readWith<Row>(queryable, timeoutOf(queryable), statement);
    return rows;
  });
}

/**
 * The same, for a range of which an index gives the first rows in order. Where the statistics are older than most of the
 * rows, the planner expects few of them, and would read and sort all that is left of the range for each page of it.
 */
export function readInOrder<Row extends QueryResultRow>(
  queryable: Queryable,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  const settings = [...timeoutOf(queryable), 'enable_bitmapscan = off'];
  return look(async () => (await readWith<Row>(queryable, settings, { text, values })).rows);
}

/**
 * The same with a name, for ranges that whatever the values an index gives: PostgreSQL may keep its plan while the table grows,
 * so it must not be one for a small table.
 */
export function readInOrderPrepared<Row extends QueryResultRow>(
  queryable: Queryable,
  statement: QueryConfig & { name: string },
  statements: PreparedStatements,
): Promise<Row[]> {
  const settings = [...timeoutOf(queryable), 'enable_bitmapscan = off', 'enable_seqscan = off'];
  return look(
    async () => (await readWith<Row>(queryable, settings, statements.named(statement))).rows,
    statements,
  );
}

function timeoutOf(queryable: Queryable): string[] {
  const timeoutMillis = readTimeouts.get(queryable);
  return timeoutMillis === undefined ? [] : [`statement_timeout = ${timeoutMillis}`];
}

/**
 * As `read`, with a name: it is planned once a session, so its text must always be the same. Only the driver bounds it, a
 * little later: a point read would cost the database half as much again, and look-ups hold few connections, however many wait.
 */
export function readPrepared<Row extends QueryResultRow>(
  queryable: Queryable,
  statement: QueryConfig & { name: string },
  statements: PreparedStatements,
): Promise<Row[]> {
  return look(async () => (await sendTo<Row>(queryable, statements.named(statement))).rows, statements);
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

async function readWith<Row extends QueryResultRow>(
  queryable: Queryable,
  settings: readonly string[],
  statement: QueryConfig,
): Promise<QueryResult<Row>> {
  if (settings.length === 0) return sendTo<Row>(queryable, statement);
  if (!isPool(queryable)) return (await readSet<Row>(queryable, settings, statement)).result();
  const client = await queryable.connect();
  const { isSound, result } = await readSet<Row>(client, settings, statement);
  client.release(!isSound);
  return result();
}

function sendTo<Row extends QueryResultRow>(queryable: Queryable, statement: QueryConfig) {
  return isPool(queryable) ? sendThrough<Row>(queryable, statement) : send<Row>(queryable, statement);
}

function isPool(queryable: Queryable): queryable is Pool {
  return 'totalCount' in queryable;
}

/**
 * In a transaction for the sake of SET LOCAL: a setting of the session's would stay behind in a pooler's, and poolers
 * refuse one of the connection's. All goes out together, in one trip.
 */
async function readSet<Row extends QueryResultRow>(
  client: Queryable,
  settings: readonly string[],
  statement: QueryConfig,
) {
  // The name that the statement begins with: pg_stat_activity says what a session does.
  const [name = ''] = /^\/\*.*?\*\//.exec(statement.text) ?? [];
  const begin = ['begin read only', ...settings.map((setting) => `set local ${setting}`)].join('; ');
  const [begun, found, ended] = await Promise.allSettled(
    inOneWrite(
      client,
      () =>
        [
          send(client, `${name} ${begin}`),
          send<Row>(client, statement),
          send(client, `${name} commit`),
        ] as const,
    ),
  );
  return {
    /** a failed statement leaves a sound session: its COMMIT rolled back */
    isSound: ended.status === 'fulfilled',
    result: (): QueryResult<Row> => {
      if (found.status === 'rejected') throw found.reason;
      if (begun.status === 'rejected') throw begun.reason;
      return found.value;
    },
  };
}
