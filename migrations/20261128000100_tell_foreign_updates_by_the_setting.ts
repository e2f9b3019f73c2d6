import { Migration } from '@mikro-orm/migrations';

const counted = [
  'identifier',
  'scope_key',
  'collector',
  'fetcher',
  'active',
  'scope_activation_toggle_date',
  'last_processed_timestamp',
];
const others = counted.slice(0, -1);

function listed(row: 'new' | 'old', columns: readonly string[]): string {
  return columns.map((column) => `${row}.${column}`).join(', ');
}

/**
 * PostgreSQL reads a trigger's condition anew for each statement, and that of the one that counts for other writers was so long
 * that a single advance felt it. Its condition is that of the trigger that records for them now; what it was is looked at by the
 * function, which scopestate's own statements never get to.
 */
export default class TellForeignUpdatesByTheSetting extends Migration {
  override up(): void {
    this.addSql(`
      create or replace function scopestate_count_foreign_write() returns trigger language plpgsql as $$
      begin
        if new.version <> old.version
          or (${listed('new', counted)}) is not distinct from (${listed('old', counted)})
        then
          return new;
        end if;
        new.version := old.version + 1;
        new.updated_at := timezone('utc', clock_timestamp());
        if new.last_processed_timestamp > old.last_processed_timestamp
          and (${listed('new', others)}) is not distinct from (${listed('old', others)})
        then
          new.last_advanced_at := new.updated_at;
        else
          new.revision := old.revision + 1;
        end if;
        return new;
      end $$`);
    this.addSql(`
      create or replace trigger scopestate_count_foreign_write before update on cloudkitty_storage_states
        for each row when (current_setting('scopestate.records_history', true) is distinct from 'on')
        execute function scopestate_count_foreign_write()`);
  }
}
