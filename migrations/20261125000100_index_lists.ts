import { Migration } from '@mikro-orm/migrations';

/**
 * Indexes for lists, none of them on what an advance changes: an index on the timestamp itself would end HOT updates,
 * one on its day is touched by one advance a day (docs/adr/0020-lists.md has the figures). The new column writes the table
 * anew, and by that every page gets its free space.
 */
export default class IndexLists extends Migration {
  override up(): void {
    this.addSql(`
      alter table cloudkitty_storage_states
        set (fillfactor = 70),
        add column last_processed_day date generated always as (last_processed_timestamp::date) stored`);
    this.addSql(`
      comment on column cloudkitty_storage_states.last_processed_day is
        'so that an index can tell who is behind, and advances stay HOT'`);
    this.addSql(`
      create index scopestate_states_of_day on cloudkitty_storage_states (last_processed_day);
      create index scopestate_states_of_collector on cloudkitty_storage_states (collector, fetcher, scope_key);
      create index scopestate_states_inactive on cloudkitty_storage_states (identifier, id) where not active`);
  }
}
