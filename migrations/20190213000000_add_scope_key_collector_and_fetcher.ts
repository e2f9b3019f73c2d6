import { Migration } from '@mikro-orm/migrations';

/**
 * The change that the CloudKitty spec "Add some details to state management" (2019) asks for: a state belongs to a
 * collection unit. Rows from before stay legacy rows, their three columns empty, until a check or an advance claims them.
 */
export default class AddScopeKeyCollectorAndFetcher extends Migration {
  override up(): void {
    this.addSql(`
      alter table cloudkitty_storage_states
        add column if not exists scope_key varchar(40),
        add column if not exists collector varchar(40),
        add column if not exists fetcher varchar(40)`);
  }
}
