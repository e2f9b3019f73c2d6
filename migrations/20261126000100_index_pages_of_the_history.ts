import { Migration } from '@mikro-orm/migrations';

/**
 * Indexes for pages of a long history that look for a time, an actor or a collector. Each entry pays for them, and most
 * entries are advances: docs/adr/0022-pages-of-the-history.md has what they cost and what they are worth.
 */
export default class IndexPagesOfTheHistory extends Migration {
  override up(): void {
    // Which blocks of numbers have an entry of a time: numbers and times grow together, but not strictly.
    this.addSql(`
      drop index scopestate_history_of_time;
      create index scopestate_history_of_block on scopestate_history ((sequence / 10000), recorded_at)`);
    // Its keys repeat, so that it stays small.
    this.addSql(`
      create index scopestate_history_of_actor on scopestate_history (actor, collector);
      create index scopestate_history_of_old_collector on scopestate_history (old_collector)
        where old_collector is not null`);
    // What no vacuum has seen is not in the BRIN index, and read whole: by default that may be a fifth of all entries.
    this.addSql(`
      alter table scopestate_history set (
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000
      )`);
  }
}
