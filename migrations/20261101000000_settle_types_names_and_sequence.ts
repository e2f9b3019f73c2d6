import { Migration } from '@mikro-orm/migrations';

const times = ['last_processed_timestamp', 'scope_activation_toggle_date'];

/**
 * CloudKitty's chain leaves one of several layouts behind: odd names for key and sequence, a sequence that stands at 1
 * behind existing rows, a default in the session's time zone. From here on there is one.
 */
export default class SettleTypesNamesAndSequence extends Migration {
  override async up(): Promise<void> {
    await this.refuseUnanswerableTimes();
    // Order and prefixes don't depend on the machine's locale; a time holds UTC whatever the session's zone.
    this.addSql(`
      alter table cloudkitty_storage_states
        alter column identifier type varchar(256) collate "C",
        alter column scope_key type varchar(40) collate "C",
        alter column collector type varchar(40) collate "C",
        alter column fetcher type varchar(40) collate "C",
        alter column last_processed_timestamp type timestamp(6) without time zone,
        alter column scope_activation_toggle_date type timestamp(6) without time zone,
        alter column scope_activation_toggle_date set default timezone('utc', now()),
        alter column active set default true,
        add constraint scopestate_answerable_times check (${times.map(answerable).join(' and ')})`);
    this.addSql(`
      do $$
      declare
        key_name text;
        sequence_name text := pg_get_serial_sequence('cloudkitty_storage_states', 'id');
        highest integer;
        next bigint;
      begin
        select conname into key_name from pg_constraint
        where conrelid = 'cloudkitty_storage_states'::regclass and contype = 'p';
        if key_name <> 'cloudkitty_storage_states_pkey' then
          execute format('alter table cloudkitty_storage_states rename constraint %I to cloudkitty_storage_states_pkey', key_name);
        end if;

        if sequence_name::regclass <> coalesce(to_regclass('cloudkitty_storage_states_id_seq')::oid, 0) then
          execute format('alter sequence %s rename to cloudkitty_storage_states_id_seq', sequence_name::regclass);
        end if;

        select max(id) into highest from cloudkitty_storage_states;
        select last_value + is_called::integer into next from cloudkitty_storage_states_id_seq;
        -- Not setval: that would stay when the transaction is rolled back.
        if highest >= next then
          if highest = 2147483647 then
            raise exception 'the id % is the last one there is: no row could follow it', highest;
          end if;
          execute format('alter sequence cloudkitty_storage_states_id_seq restart with %s', highest + 1);
        end if;
      end $$`);
  }

  /** Such a row could be read by nobody through the API: an operator has to decide what it should say. */
  private async refuseUnanswerableTimes(): Promise<void> {
    const rows = await this.execute(`
      select id, identifier, ${times.map(readable).join(', ')}
      from cloudkitty_storage_states where not (${times.map(answerable).join(' and ')}) order by id`);
    if (rows.length === 0) return;
    throw new Error(
      [
        `${rows.length} rows hold a time outside 1970-01-01 to 9999-12-31; correct or delete them first, nothing was changed:`,
        ...rows.map((row) => `  ${JSON.stringify(row)}`),
      ].join('\n'),
    );
  }
}

function answerable(column: string): string {
  return `${column} >= timestamp '1970-01-01' and ${column} < timestamp '10000-01-01'`;
}

/** Year first, whatever the session's DateStyle is; infinity has no year. */
function readable(column: string): string {
  return `case when isfinite(${column}) then to_char(${column}, 'YYYY-MM-DD HH24:MI:SS.US BC') else ${column}::text end as ${column}`;
}
