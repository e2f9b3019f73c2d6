import { Migration } from '@mikro-orm/migrations';

/** CloudKitty's revision 750d3050cf71: the column says what it holds, and a scope id may have 256 characters. */
export default class RenameStateToLastProcessedTimestamp extends Migration {
  override up(): void {
    this.addSql(`
      do $$
      begin
        if exists (
          select from pg_attribute
          where attrelid = 'cloudkitty_storage_states'::regclass and attname = 'state' and not attisdropped
        ) then
          alter table cloudkitty_storage_states rename column state to last_processed_timestamp;
        end if;
      end $$`);
    this.addSql(`alter table cloudkitty_storage_states alter column identifier type varchar(256)`);
  }
}
