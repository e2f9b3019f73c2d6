import { Migration } from '@mikro-orm/migrations';

/** CloudKitty's revision 750d3050cf71: the column says what it holds, and a scope id may have 256 characters. */
export default class RenameStateToLastProcessedTimestamp extends Migration {
  override async up(): Promise<void> {
    await this.refuseOverLongTexts();
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

  /** CloudKitty's own columns can't hold one; a table that somebody has altered can. Cutting one would make it another scope. */
  private async refuseOverLongTexts(): Promise<void> {
    const rows = await this.execute(`
      select id, char_length(identifier) as identifier, char_length(scope_key) as scope_key,
        char_length(collector) as collector, char_length(fetcher) as fetcher
      from cloudkitty_storage_states
      where char_length(identifier) > 256 or greatest(char_length(scope_key), char_length(collector), char_length(fetcher)) > 40
      order by id`);
    if (rows.length === 0) return;
    throw new Error(
      [
        `${rows.length} rows hold a text that is too long (256 characters for identifier, 40 for the others; here are the lengths); shorten it first, nothing was changed:`,
        ...rows.map((row) => `  ${JSON.stringify(row)}`),
      ].join('\n'),
    );
  }
}
