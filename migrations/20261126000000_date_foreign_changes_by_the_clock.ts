import { Migration } from '@mikro-orm/migrations';

const table = 'cloudkitty_storage_states';
const unit = ['identifier', 'scope_key', 'collector', 'fetcher'];

/**
 * An entry of another writer has its row's own time, so that both say the same; but only where the row was given it in this
 * very transaction. A row of a backup that is put back says when it was written first, and the entry would have changed
 * what the history says of the time between.
 */
export default class DateForeignChangesByTheClock extends Migration {
  override async up(): Promise<void> {
    const [found] = await this.execute(`select quote_ident(current_schema()) as schema`);
    this.addSql(`
      create or replace function scopestate_record_foreign_row(was ${table}, becomes ${table}) returns void
      language sql security definer set search_path = ${String(found?.['schema'])}, pg_temp as $$
        insert into scopestate_history (
          kind, state_id, ${unit.join(', ')}, last_processed_timestamp, active, scope_activation_toggle_date,
          last_advanced_at, version, ${unit.map((column) => `old_${column}`).join(', ')},
          old_last_processed_timestamp, old_active, old_scope_activation_toggle_date, old_last_advanced_at,
          old_version, old_updated_at, recorded_at, actor
        )
        select 'EXTERNAL', s.id, ${unit.map((column) => `s.${column}`).join(', ')}, s.last_processed_timestamp,
          s.active, s.scope_activation_toggle_date, s.last_advanced_at, (becomes).version,
          ${unit.map((column) => `case when other_unit then (was).${column} end`).join(', ')},
          (was).last_processed_timestamp, case when other_flag then (was).active end,
          case when other_flag then (was).scope_activation_toggle_date end, (was).last_advanced_at,
          (was).version, (was).updated_at,
          case when (becomes).updated_at > coalesce((was).updated_at, '-infinity')
              and (becomes).updated_at between timezone('utc', now()) and clock
            then (becomes).updated_at else clock end,
          'external:' || coalesce(nullif(current_setting('application_name'), ''), session_user)
        from (
          select (case when (becomes).id is null then was else becomes end).*
        ) s, lateral (
          select timezone('utc', clock_timestamp()) as clock,
            (was).id = (becomes).id and (${unit.map((column) => `(was).${column}`).join(', ')})
              is distinct from (${unit.map((column) => `(becomes).${column}`).join(', ')}) as other_unit,
            (was).id = (becomes).id and ((was).active, (was).scope_activation_toggle_date)
              is distinct from ((becomes).active, (becomes).scope_activation_toggle_date) as other_flag
        ) change
      $$`);
  }
}
