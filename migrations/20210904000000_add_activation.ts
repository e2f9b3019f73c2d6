import { Migration } from '@mikro-orm/migrations';

/** CloudKitty's revision 4d69395f: a scope can be switched off; rows from before are active since now. */
export default class AddActivation extends Migration {
  override up(): void {
    this.addSql(`
      alter table cloudkitty_storage_states
        add column if not exists scope_activation_toggle_date timestamp without time zone
          not null default timezone('utc', now()),
        add column if not exists active boolean not null default true`);
  }
}
