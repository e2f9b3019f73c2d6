import { Migration } from '@mikro-orm/migrations';

/** CloudKitty's table as it was in 2018: one state for a scope id. A table that is there already is taken as it is. */
export default class CreateStorageStates extends Migration {
  override up(): void {
    this.addSql(`
      create table if not exists cloudkitty_storage_states (
        id serial,
        identifier varchar(40) not null,
        state timestamp without time zone not null,
        constraint cloudkitty_storage_states_pkey primary key (id),
        constraint cloudkitty_storage_states_identifier_key unique (identifier)
      )`);
  }
}
