import { sqlStateOf } from './faults.js';
import type { QueryConfig } from './pool.js';

/**
 * The prepared statements of a process. Their names end in something that is its own, so that behind a pooler no other
 * process gives a name another text. A pooler that shares sessions and knows nothing of statements (PgBouncer before
 * 1.21) makes them fail: from then on statements are sent without a name.
 */
export class PreparedStatements {
  private suffix: string | undefined = crypto.randomUUID();

  /** The statement as it is to be sent; one without a name stays as it is. */
  named(statement: QueryConfig): QueryConfig {
    const { name, ...nameless } = statement;
    if (name === undefined || this.suffix === undefined) return nameless;
    return { ...nameless, name: `${name} ${this.suffix}` };
  }

  /** Whether it failed for its name only: then nothing was done, and it is sent again, under another name or none. */
  isAtFault(error: unknown): boolean {
    const code = sqlStateOf(error) ?? '';
    if (code === notSupported && Reflect.get(error as object, 'routine') === replanning) {
      if (this.suffix !== undefined) this.suffix = crypto.randomUUID();
      return true;
    }
    if (!sharedSessionCodes.has(code)) return false;
    this.suffix = undefined;
    return true;
  }
}

/** A migration has changed the type of a column that a plan answers: under another name it is planned anew. */
const notSupported = '0A000';
/** Of PostgreSQL's own; its messages come in the language of `lc_messages`. */
const replanning = 'RevalidateCachedQuery';

/** A statement is not there, or there already. */
const sharedSessionCodes = new Set(['26000', '42P05']);
