import type { Pool, Queryable, QueryConfig, QueryResult, QueryResultRow } from './pool.js';
import { asFault, wantsAnotherLook } from './faults.js';
import { PreparedStatements } from './prepared-statements.js';
import { asTexts, send, sendBounded, sendThrough, type Texts } from './send.js';

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

/** The same as `read`, for many rows. */
export function readTexts(queryable: Queryable, text: string, values: unknown[]): Promise<Texts[]> {
  return look(() => textsWith(queryable, timeoutOf(queryable), { text, values }));
}

/**
 * The same as `readInOrder` with a name, for ranges that whatever the values an index gives: PostgreSQL may keep its plan while the table grows,
 * so it must not be one for a small table.
 */
export function readInOrderPrepared(
  queryable: Queryable,
  statement: QueryConfig & { name: string },
  statements: PreparedStatements,
): Promise<Texts[]> {
  const settings = [...timeoutOf(queryable), 'enable_bitmapscan = off', 'enable_seqscan = off'];
  return look(() => textsWith(queryable, settings, statements.named(statement)), statements);
}

function timeoutOf(queryable: Queryable): string[] {
  const timeoutMillis = readTimeouts.get(queryable);
  return timeoutMillis === undefined ? [] : [`statement_timeout = ${timeoutMillis}`];
}

/**
 * As `read`, with a name: it is planned once a session, so its text must always be the same. Only the driver bounds it, a
 * little later: a point read would cost the database half as much again, and look-ups hold few connections, however many wait.
 */
export function readPrepared(
  queryable: Queryable,
  statement: QueryConfig & { name: string },
  statements: PreparedStatements,
): Promise<Texts[]> {
  return look(() => textsWith(queryable, [], statements.named(statement)), statements);
}

async function look<Row>(ask: () => Promise<Row[]>, statements?: PreparedStatements): Promise<Row[]> {
  for (let look = 1; ; look++) {
    try {
      return await ask();
    } catch (error) {
      const areAtFault = [settingNames.isAtFault(error), statements?.isAtFault(error)];
      if (areAtFault.includes(true) && look < mostLooks) continue;
      // Where the sessions' default is SERIALIZABLE, PostgreSQL may ask a reader to start again.
      if (!wantsAnotherLook(error) || look === mostLooks) throw asFault(error);
    }
  }
}

async function textsWith(
  queryable: Queryable,
  settings: readonly string[],
  statement: QueryConfig,
): Promise<Texts[]> {
  const { rows } = await readWith<string[]>(queryable, settings, { ...statement, ...asTexts });
  return rows;
}

/** What sets the settings of reads, by what they are, and which of them sessions know by name. */
const settingStatements = new Map<string, QueryConfig & { name: string }>();
const settingNames = new PreparedStatements();
const prepared = new WeakMap<Queryable, Set<string>>();

async function readWith<Row extends QueryResultRow>(
  queryable: Queryable,
  settings: readonly string[],
  statement: QueryConfig,
): Promise<QueryResult<Row>> {
  if (isPool(queryable))
    return sendThrough(queryable, (session) => readWith<Row>(session, settings, statement));
  if (settings.length === 0) return send<Row>(queryable, statement);
  return sendBounded<Row>(queryable, statement, await prepare(queryable, settings));
}

/** The session gets to know them, if it does not: with a name, a statement is looked at once a session. */
async function prepare(session: Queryable, settings: readonly string[]): Promise<QueryConfig> {
  const statement = settingNames.named(settingStatement(settings));
  const { name } = statement;
  const known = prepared.get(session) ?? new Set();
  if (name === undefined || known.has(name)) return statement;
  await send(session, statement);
  prepared.set(session, known.add(name));
  return statement;
}

/** Local to a transaction: one of the session's would stay behind in a pooler's, and poolers refuse one of the connection's. */
function settingStatement(settings: readonly string[]): QueryConfig & { name: string } {
  const key = settings.join(', ');
  const known = settingStatements.get(key);
  if (known) return known;
  const set = settings.map((setting) => {
    const [parameter, value] = setting.split(' = ');
    return `set_config('${parameter}', '${value}', true)`;
  });
  const made = {
    name: `Read.settings ${settingStatements.size + 1}`,
    text: `/* Read.settings */ select ${set.join(', ')}`,
  };
  settingStatements.set(key, made);
  return made;
}

function isPool(queryable: Queryable): queryable is Pool {
  return 'totalCount' in queryable;
}
