import type { Queryable, QueryConfig } from './pool.js';
import { PreparedStatements } from './prepared-statements.js';
import { send } from './send.js';

/**
 * Settings for one transaction, as a statement that sets them: one of the session's would stay behind in a pooler's, and
 * poolers refuse one of the connection's.
 */
export class Settings {
  private readonly statement: QueryConfig & { name: string };
  private readonly names = new PreparedStatements();
  private readonly known = new WeakMap<Queryable, string>();

  /** @param expressions SQL that sets them, by `setLocal` mostly */
  constructor(name: string, expressions: readonly string[]) {
    this.statement = { name, text: `/* ${name} */ select ${expressions.join(', ')}` };
  }

  /** Makes them known to a session, once; nothing of what is to come behind them is sent yet. */
  async knownTo(session: Queryable): Promise<QueryConfig> {
    const statement = this.names.named(this.statement);
    const { name } = statement;
    if (name === undefined || this.known.get(session) === name) return statement;
    await send(session, statement);
    this.known.set(session, name);
    return statement;
  }

  /** As of `PreparedStatements`. */
  isAtFault(error: unknown): boolean {
    return this.names.isAtFault(error);
  }
}

/** SQL that sets one, local to the transaction. */
export function setLocal(setting: string, value: string | number): string {
  return `set_config('${setting}', '${value}', true)`;
}

/** Acknowledged means durable, also when somebody has switched that off since the start. */
export const durable = `case when current_setting('synchronous_commit') = 'off' then ${setLocal('synchronous_commit', 'on')} end`;
