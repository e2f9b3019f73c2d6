import { Migration } from '@mikro-orm/migrations';

/**
 * A constraint on the kind was read and compiled anew for each statement that writes an entry, which a single advance felt.
 * A type of its own says the same, once. The table and its indexes are written anew.
 */
export default class GiveKindsOfChangesAType extends Migration {
  override up(): void {
    this.addSql(`
      create type scopestate_change_kind as enum (
        'CREATED', 'BACKFILLED', 'ADVANCED', 'RESET', 'ACTIVATED', 'DEACTIVATED', 'REKEYED', 'DELETED', 'IMPORTED',
        'UNDONE', 'EXTERNAL'
      )`);
    // The indexes' conditions compare texts.
    this.addSql(`drop index scopestate_history_of_scope, scopestate_history_of_kind`);
    this.addSql(`
      alter table scopestate_history
        drop constraint scopestate_history_kind,
        alter column kind type scopestate_change_kind using kind::scopestate_change_kind`);
    this.addSql(`
      create index scopestate_history_of_scope on scopestate_history (identifier) where kind <> 'ADVANCED';
      create index scopestate_history_of_kind on scopestate_history (kind, sequence) where kind <> 'ADVANCED'`);
  }
}
