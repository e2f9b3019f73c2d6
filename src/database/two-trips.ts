import type { Pool, PoolClient, QueryConfig, QueryResult } from './pool.js';
import type { PreparedStatements } from './prepared-statements.js';
import { OutcomeUnknown, Unavailable } from '../fault.js';
import { asFault, tellsOfABrokenLine, wantsAnotherLook } from './faults.js';
import { inOneWrite } from './one-write.js';
import { send } from './send.js';
import { begin, connect, goesOn, mostLooks, rollBack } from './transaction.js';

/** What a transaction makes of what it looked at. */
export interface Decision<T> {
  /** each fails when it could not do all that it was to do: the COMMIT is on its heels */
  readonly writes: readonly QueryConfig[];
  readonly settle: (written: readonly QueryResult[]) => T;
}

/** Sends one more statement in the same transaction. */
export type Send = (statement: QueryConfig) => Promise<QueryResult>;

export interface TwoTrips<T> {
  /** sent together with the BEGIN */
  readonly looks: readonly QueryConfig[];
  readonly decide: (found: readonly QueryResult[], send: Send) => Promise<Decision<T>>;
  /** that statements with a name are among */
  readonly statements: PreparedStatements;
  /** longest wait for one lock, when that is to be shorter than a statement's */
  readonly lockTimeoutMillis?: number;
  /** how often it may be done in all, when others overtake it */
  readonly looksAtMost?: number;
}

/**
 * A transaction in two trips to the database instead of five: it begins and looks, decides, writes and commits. As
 * `inTransaction`, it answers only after the commit, and does it again with a new snapshot when another overtook it.
 *
 * @throws Unavailable when the database is at fault, or others were ahead too often; nothing was done
 * @throws OutcomeUnknown when the connection broke while the writes and their COMMIT were on their way
 */
export async function inTwoTrips<T>(pool: Pool, trips: TwoTrips<T>): Promise<T> {
  const { looks, decide, statements, lockTimeoutMillis, looksAtMost = mostLooks } = trips;
  const beginning =
    lockTimeoutMillis === undefined ? begin : `${begin}; set local lock_timeout = ${lockTimeoutMillis}`;
  let overtaken: unknown;
  for (let look = 1; look <= looksAtMost; look++) {
    const client = await connect(pool);
    const sendOne: Send = (statement) => send(client, statements.named(statement));
    let decision: Decision<T>;
    try {
      const [, ...found] = await Promise.all(
        inOneWrite(client, () => [send(client, beginning), ...looks.map(sendOne)]),
      );
      decision = await decide(found, sendOne);
    } catch (error) {
      await rollBack(client, error);
      if (statements.isAtFault(error)) {
        look--; // overtaken by nobody
        continue;
      }
      if (!wantsAnotherLook(error)) throw asFault(error);
      overtaken = error;
      continue;
    }
    try {
      return decision.settle(await writeAndCommit(client, decision.writes, sendOne));
    } catch (error) {
      if (statements.isAtFault(error)) look--;
      else if (!wantsAnotherLook(error)) throw asFault(error);
      overtaken = error;
    }
  }
  throw new Unavailable(`other writers were ahead ${looksAtMost} times in a row; nothing was done`, {
    cause: overtaken,
  });
}

async function writeAndCommit(
  client: PoolClient,
  writes: readonly QueryConfig[],
  sendOne: Send,
): Promise<QueryResult[]> {
  const answers = await Promise.allSettled(
    inOneWrite(client, () => [...writes.map(sendOne), send(client, 'commit')]),
  );
  const failed = answers.find((answer) => answer.status === 'rejected')?.reason as Error | undefined;
  const done = answers.at(-1)!;
  const isSound = done.status === 'fulfilled' || (await goesOn(client, done.reason));
  client.release(!isSound);
  if (failed !== undefined) {
    // The COMMIT was answered, so that it was none; or the session went on behind its error; or PostgreSQL ended it at a write, before
    // it saw the COMMIT. Otherwise nobody knows: a pooler ends a session whose server goes on reading.
    const ofWrite = answers.slice(0, -1).find((answer) => answer.status === 'rejected')?.reason as unknown;
    if (isSound || (ofWrite !== undefined && !tellsOfABrokenLine(ofWrite))) throw failed;
    throw new OutcomeUnknown('the connection broke while the commit was on its way', { cause: failed });
  }
  const results = answers.map((answer) => (answer as PromiseFulfilledResult<QueryResult>).value);
  // PostgreSQL answers the COMMIT of a failed transaction with ROLLBACK, and without an error.
  if (results.pop()!.command !== 'COMMIT')
    throw new Unavailable('the transaction was rolled back; nothing was done');
  return results;
}
