import { Migration } from '@mikro-orm/migrations';

/** One row that /readyz writes to: "a write would be accepted now" is known only by writing. */
export default class CreateWriteProbe extends Migration {
  override up(): void {
    this.addSql(`
      create table scopestate_write_probe (
        only_row boolean primary key default true check (only_row),
        probed_at timestamp(6) without time zone not null
      )`);
    this.addSql(`insert into scopestate_write_probe (probed_at) values (timezone('utc', now()))`);
  }
}
