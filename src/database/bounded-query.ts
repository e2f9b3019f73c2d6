import { Query, type Connection } from 'pg';
import type { QueryConfig, QueryResult } from './pool.js';

type Done = (error: Error | undefined, result: QueryResult) => void;

/** What of the driver's query its types don't tell. */
interface DriversQuery extends Query {
  prepare(connection: Connection): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: Connection): void;
}

const DriversQuery = Query as unknown as new (
  asked: QueryConfig & { queryMode: 'extended' },
  values: undefined,
  done: Done,
) => DriversQuery;

/** Of its messages; their types want more than the driver does. */
type Messages = Record<'parse' | 'bind' | 'execute', (message: Record<string, unknown>) => void>;

/**
 * A statement behind settings that hold for it alone, in one trip. Up to the Sync at the end all is one transaction
 * (PostgreSQL's manual, Extended Query, Pipelining), with which they end: at a fraction of what BEGIN, SET LOCAL and
 * COMMIT cost both sides.
 */
export class BoundedQuery extends DriversQuery {
  private readonly settings: QueryConfig;
  private areSet = false;

  /** @param settings sets them, local to the transaction; the session has prepared it, if it has a name */
  constructor(statement: QueryConfig, settings: QueryConfig, done: Done) {
    super({ ...statement, queryMode: 'extended' }, undefined, done);
    this.settings = settings;
  }

  override prepare(connection: Connection): void {
    const { parse, bind, execute } = connection as unknown as Messages;
    const { name: statement = '', text } = this.settings;
    if (statement === '') parse.call(connection, { text });
    bind.call(connection, { statement });
    execute.call(connection, {});
    super.prepare(connection);
  }

  override handleDataRow(message: unknown): void {
    if (this.areSet) super.handleDataRow(message);
  }

  override handleCommandComplete(message: unknown, connection: Connection): void {
    if (this.areSet) super.handleCommandComplete(message, connection);
    this.areSet = true; // the first one was the settings'
  }
}
