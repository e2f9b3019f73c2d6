import { Migration } from '@mikro-orm/migrations';

/**
 * What scopestate keeps of a row beyond CloudKitty's columns, all with defaults, so that CloudKitty can go on inserting
 * and updating rows; the trigger counts for writers that don't know of versions.
 */
export default class AddVersionAndWriteTimes extends Migration {
  override up(): void {
    this.addSql(`
      alter table cloudkitty_storage_states
        add column version integer not null default 1,
        add column revision integer not null default 1,
        add column moved_by_operator boolean not null default false,
        add column updated_at timestamp(6) without time zone not null default timezone('utc', clock_timestamp()),
        add column last_advanced_at timestamp(6) without time zone`);
    this.addSql(`
      comment on column cloudkitty_storage_states.version is
        'raised by each change of the row';
      comment on column cloudkitty_storage_states.revision is
        'raised like version, but not by advancing: plan tokens are made of it';
      comment on column cloudkitty_storage_states.moved_by_operator is
        'reset or rekeyed since its unit was last checked or advanced: an advance without "expected" is STALE'`);
    // Our own statements raise the version themselves, so the trigger's body never runs for them.
    this.addSql(`
      create function scopestate_count_foreign_write() returns trigger language plpgsql as $$
      begin
        new.version := old.version + 1;
        new.updated_at := timezone('utc', clock_timestamp());
        if new.last_processed_timestamp > old.last_processed_timestamp
          and (new.identifier, new.scope_key, new.collector, new.fetcher, new.active, new.scope_activation_toggle_date)
            is not distinct from
              (old.identifier, old.scope_key, old.collector, old.fetcher, old.active, old.scope_activation_toggle_date)
        then
          new.last_advanced_at := new.updated_at;
        else
          new.revision := old.revision + 1;
        end if;
        return new;
      end $$`);
    this.addSql(`
      create trigger scopestate_count_foreign_write
        before update on cloudkitty_storage_states for each row
        when (
          new.version = old.version
          and (
            new.identifier, new.scope_key, new.collector, new.fetcher, new.active,
            new.scope_activation_toggle_date, new.last_processed_timestamp
          ) is distinct from (
            old.identifier, old.scope_key, old.collector, old.fetcher, old.active,
            old.scope_activation_toggle_date, old.last_processed_timestamp
          )
        )
        execute function scopestate_count_foreign_write()`);
  }
}
