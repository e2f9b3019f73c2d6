import type { Pool, Queryable, QueryConfig, QueryResult, QueryResultRow } from './pool.js';
import { asFault, wantsAnotherLook } from './faults.js';
import { Line } from './line.js';
import type { PreparedStatements } from './prepared-statements.js';
import { asTexts, send, sendBehind, sendThrough, type Texts } from './send.js';
import { setLocal, Settings } from './settings.js';

const mostLooks = 10;

/** Of a pool's connections: the others are for those who change states, or look one up by its unit, whatever is listed meanwhile. */
const readsAtOnce = 8;

const mostReadsWaiting = 10_000;

/** How reads of a pool are limited. */
interface Limits {
  readonly timeoutMillis: number;
  readonly line: Line;
}

const limitsOf = new WeakMap<Queryable, Limits>();

/**
 * From now on the database ends a read of this pool after so long, waiting for locks included; and only some of its connections are
 * for reads. They wait for one no longer than that.
 */
export function limitReads(pool: Pool, timeoutMillis: number): void {
  const line = new Line({
    atOnce: readsAtOnce,
    mostWaiting: mostReadsWaiting,
    longestWaitMillis: timeoutMillis,
  });
  limitsOf.set(pool, { timeoutMillis, line });
}

/** Runs one statement that only reads: it sees one snapshot. */
export function read<Row extends QueryResultRow>(
  queryable: Queryable,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  return look(queryable, { text, values }, settingsFor(queryable, []));
}

/** The same for what all requests wait for: it does not stand in line behind their reads. */
export function readAhead<Row extends QueryResultRow>(
  queryable: Queryable,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  return lookAgain(queryable, { text, values }, settingsFor(queryable, []));
}

/** As `read`, with fields as texts. */
export function readTexts(queryable: Queryable, text: string, values: unknown[]): Promise<Texts[]> {
  return look(queryable, { text, values, ...asTexts }, settingsFor(queryable, []));
}

const inOrder = [setLocal('enable_bitmapscan', 'off')];
const alongAnIndex = [...inOrder, setLocal('enable_seqscan', 'off')];

/**
 * The same as `read`, for a range of which an index gives the first rows in order. Where the statistics are older than most of the
 * rows, the planner expects few of them, and would read and sort all that is left of the range for each page of it.
 */
export function readInOrder<Row extends QueryResultRow>(
  queryable: Queryable,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  return look(queryable, { text, values }, settingsFor(queryable, inOrder));
}

/**
 * The same with a name, with fields as texts, and for ranges that whatever the values an index gives: PostgreSQL may keep its plan while the table
 * grows, so it must not be one for a small table.
 */
export function readInOrderPrepared(
  queryable: Queryable,
  statement: QueryConfig & { name: string },
  statements: PreparedStatements,
): Promise<Texts[]> {
  return look(queryable, { ...statement, ...asTexts }, settingsFor(queryable, alongAnIndex), statements);
}

/**
 * As `readTexts`, with a name: it is planned once a session, so its text must always be the same. Only the driver bounds it, a
 * little later, and it stands in no line: look-ups hold few connections, however many wait, and a point read of one would cost a tenth more.
 */
export function readPrepared(
  queryable: Queryable,
  statement: QueryConfig & { name: string },
  statements: PreparedStatements,
): Promise<Texts[]> {
  return lookAgain(queryable, { ...statement, ...asTexts }, undefined, statements);
}

/** Of each pool, or session that is none of a pool's, by what they set. */
const settingsKnown = new WeakMap<Queryable, Map<string, Settings>>();

/** What is set for a read: how long it may take, if the pool bounds it, and how it is planned. */
function settingsFor(queryable: Queryable, planned: readonly string[]): Settings | undefined {
  const timeoutMillis = limitsOf.get(queryable)?.timeoutMillis;
  const bounds = timeoutMillis === undefined ? [] : [setLocal('statement_timeout', timeoutMillis)];
  const expressions = [...bounds, ...planned];
  if (expressions.length === 0) return undefined;
  const known = settingsKnown.get(queryable) ?? new Map<string, Settings>();
  settingsKnown.set(queryable, known);
  const key = expressions.join();
  const settings =
    known.get(key) ??
    new Settings(`Read.settings ${known.size + 1}`, [
      setLocal('transaction_read_only', 'on'),
      ...expressions,
    ]);
  known.set(key, settings);
  return settings;
}

/** In its turn, where reads take turns. */
function look<Row extends QueryResultRow>(
  queryable: Queryable,
  statement: QueryConfig,
  settings: Settings | undefined,
  statements?: PreparedStatements,
): Promise<Row[]> {
  const work = () => lookAgain<Row>(queryable, statement, settings, statements);
  return limitsOf.get(queryable)?.line.pass(work) ?? work();
}

async function lookAgain<Row extends QueryResultRow>(
  queryable: Queryable,
  statement: QueryConfig,
  settings: Settings | undefined,
  statements?: PreparedStatements,
): Promise<Row[]> {
  for (let look = 1; ; look++) {
    try {
      return (await ask<Row>(queryable, statements?.named(statement) ?? statement, settings)).rows;
    } catch (error) {
      const isOfANameOnly = [settings, statements].map((named) => named?.isAtFault(error)).includes(true);
      // Where the sessions' default is SERIALIZABLE, PostgreSQL may ask a reader to start again.
      if (look === mostLooks || !(isOfANameOnly || wantsAnotherLook(error))) throw asFault(error);
    }
  }
}

async function ask<Row extends QueryResultRow>(
  queryable: Queryable,
  statement: QueryConfig,
  settings: Settings | undefined,
): Promise<QueryResult<Row>> {
  if (isPool(queryable)) return sendThrough(queryable, (session) => ask<Row>(session, statement, settings));
  if (!settings) return send<Row>(queryable, statement);
  return sendBehind<Row>(queryable, await settings.knownTo(queryable), statement);
}

function isPool(queryable: Queryable): queryable is Pool {
  return 'totalCount' in queryable;
}
