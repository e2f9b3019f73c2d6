import type { TestDatabase } from './test-database.js';

/** Until a session of the database waits for a lock, in a statement of that name. */
export async function waitsForLock(database: TestDatabase, statement: string): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end;) {
    const sessions = await database.query(
      `select from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock' and starts_with(query, $1)`,
      [`/* ${statement} */`],
    );
    if (sessions.length > 0) return;
  }
  throw new Error(`nobody waits for a lock in ${statement}`);
}
