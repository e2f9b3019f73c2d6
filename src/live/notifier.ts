import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from '../database/pool.js';
import { history } from '../history/change-row.sql.js';

/** At most so often does a server tell the others that there is something to read. */
const leastMillis = 50;

/**
 * Tells the feeds of all servers that the history has grown: after the commit, and never in a transaction that writes,
 * for PostgreSQL lets transactions that notify commit one after the other only. What fails does no harm: feeds look by
 * themselves, a little later.
 */
export class Notifier {
  private readonly pool: Pool;
  private isWanted = false;
  private working: Promise<void> | undefined;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  poke(): void {
    this.isWanted = true;
    this.working ??= this.work().finally(() => {
      this.working = undefined;
    });
  }

  private async work(): Promise<void> {
    while (this.isWanted) {
      this.isWanted = false;
      // One statement string is one transaction; nobody waits for its way to the disk.
      const notify = `/* Notifier.notify */ set local synchronous_commit = off; notify ${history}`;
      await this.pool.query(notify).catch(() => undefined);
      await delay(leastMillis, undefined, { ref: false });
    }
  }
}
