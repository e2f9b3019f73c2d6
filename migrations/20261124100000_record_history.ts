import { Migration } from '@mikro-orm/migrations';

const table = 'cloudkitty_storage_states';
const unit = ['identifier', 'scope_key', 'collector', 'fetcher'];

/**
 * Every change of a state leaves an entry behind, written with the change. scopestate's own statements write theirs
 * themselves; those of other writers are written by triggers, which scopestate's transactions switch off by a setting
 * of their own. The functions run as their owner: whoever changes a state need not have a right on its history.
 */
export default class RecordHistory extends Migration {
  override async up(): Promise<void> {
    // `transaction` stands before `sequence`: a writer that holds a number has a transaction id, too. An xid8 has no BRIN.
    this.addSql(`
      create table scopestate_history (
        transaction bigint not null default pg_current_xact_id()::text::bigint,
        sequence bigint generated always as identity,
        kind varchar(11) not null,
        state_id integer not null,
        identifier varchar(256) collate "C" not null,
        scope_key varchar(40) collate "C",
        collector varchar(40) collate "C",
        fetcher varchar(40) collate "C",
        last_processed_timestamp timestamp(6) without time zone not null,
        active boolean not null,
        scope_activation_toggle_date timestamp(6) without time zone not null,
        last_advanced_at timestamp(6) without time zone,
        version integer,
        old_identifier varchar(256) collate "C",
        old_scope_key varchar(40) collate "C",
        old_collector varchar(40) collate "C",
        old_fetcher varchar(40) collate "C",
        old_last_processed_timestamp timestamp(6) without time zone,
        old_active boolean,
        old_scope_activation_toggle_date timestamp(6) without time zone,
        old_last_advanced_at timestamp(6) without time zone,
        old_version integer,
        old_updated_at timestamp(6) without time zone,
        recorded_at timestamp(6) without time zone not null,
        actor text not null,
        reason text,
        request_id text,
        operation uuid,
        operation_size integer,
        constraint scopestate_history_pkey primary key (sequence),
        constraint scopestate_history_kind check (kind in (
          'CREATED', 'BACKFILLED', 'ADVANCED', 'RESET', 'ACTIVATED', 'DEACTIVATED', 'REKEYED', 'DELETED', 'IMPORTED',
          'UNDONE', 'EXTERNAL'
        )),
        constraint scopestate_history_before_or_after check (num_nonnulls(version, old_version) > 0)
      )`);
    this.addSql(`
      comment on table scopestate_history is 'changes of states, append-only';
      comment on column scopestate_history.identifier is
        'this and the next ones: the state after the change; as it was last, where the change removed it';
      comment on column scopestate_history.version is 'null: the change removed the state';
      comment on column scopestate_history.old_identifier is
        'the unit before, where it was another one: the four are null otherwise';
      comment on column scopestate_history.old_active is
        'the flag and its date before, where they were others: null otherwise';
      comment on column scopestate_history.old_version is 'null: the change made the state';
      comment on column scopestate_history.operation is 'what was done to several states at once has one';
      comment on column scopestate_history.operation_size is 'how many entries the operation has'`);
    this.addSql(`create index scopestate_history_of_state on scopestate_history (state_id, sequence)`);
    // Advances are most of it, and name no unit that another entry of their state, or the state itself, does not.
    this.addSql(`
      create index scopestate_history_of_scope on scopestate_history (identifier) where kind <> 'ADVANCED';
      create index scopestate_history_of_old_scope on scopestate_history (old_identifier) where old_identifier is not null;
      create index scopestate_history_of_operation on scopestate_history (operation) where operation is not null;
      create index scopestate_history_of_kind on scopestate_history (kind, sequence) where kind <> 'ADVANCED';
      create index scopestate_history_of_time on scopestate_history using brin (recorded_at) with (pages_per_range = 32);
      create index scopestate_history_of_transaction on scopestate_history using brin (transaction) with (pages_per_range = 32)`);
    this.addSql(`
      create table scopestate_history_start (
        only_row boolean primary key default true check (only_row),
        sequence bigint not null default 0,
        complete_since timestamp(6) without time zone not null default timezone('utc', clock_timestamp())
      );
      insert into scopestate_history_start default values;
      comment on column scopestate_history_start.sequence is 'entries up to it were pruned';
      comment on column scopestate_history_start.complete_since is 'no entry since then is missing'`);
    await this.recordForeignWrites();
  }

  private async recordForeignWrites(): Promise<void> {
    const [found] = await this.execute(`select quote_ident(current_schema()) as schema`);
    // pg_temp last: else a temporary table of that name would take the entries.
    const asOwner = `security definer set search_path = ${String(found?.['schema'])}, pg_temp`;
    this.addSql(`
      create function scopestate_record_foreign_row(was ${table}, becomes ${table}) returns void
      language sql ${asOwner} as $$
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
          -- The row's own time, unless the writer has set it to something else than now.
          case when (becomes).updated_at > coalesce((was).updated_at, '-infinity') then least((becomes).updated_at, clock) else clock end,
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
    this.addSql(`
      create function scopestate_record_foreign_write() returns trigger language plpgsql ${asOwner} as $$
      begin
        if tg_op = 'UPDATE' and old.id <> new.id then
          perform scopestate_record_foreign_row(old, null);
          perform scopestate_record_foreign_row(null, new);
        elsif tg_op = 'UPDATE' then
          if (old.version, ${unit.map((column) => `old.${column}`).join(', ')}, old.last_processed_timestamp, old.active,
              old.scope_activation_toggle_date, old.last_advanced_at)
            is distinct from (new.version, ${unit.map((column) => `new.${column}`).join(', ')}, new.last_processed_timestamp,
              new.active, new.scope_activation_toggle_date, new.last_advanced_at)
          then
            perform scopestate_record_foreign_row(old, new);
          end if;
        elsif tg_op = 'DELETE' then
          perform scopestate_record_foreign_row(old, null);
        else
          perform scopestate_record_foreign_row(null, new);
        end if;
        return null;
      end $$`);
    this.addSql(`
      create function scopestate_record_foreign_truncate() returns trigger language plpgsql ${asOwner} as $$
      begin
        perform scopestate_record_foreign_row(s, null) from ${table} s;
        return null;
      end $$`);
    this.addSql(`
      revoke all on function scopestate_record_foreign_row, scopestate_record_foreign_write,
        scopestate_record_foreign_truncate from public`);
    const foreign = `when (current_setting('scopestate.records_history', true) is distinct from 'on')`;
    this.addSql(`
      create trigger scopestate_record_foreign_write after insert or update or delete on ${table}
        for each row ${foreign} execute function scopestate_record_foreign_write();
      create trigger scopestate_record_foreign_truncate before truncate on ${table}
        for each statement ${foreign} execute function scopestate_record_foreign_truncate()`);
  }
}
