import { Migration } from '@mikro-orm/migrations';

const kinds = [
  'CREATED',
  'BACKFILLED',
  'ADVANCED',
  'RESET',
  'ACTIVATED',
  'DEACTIVATED',
  'REKEYED',
  'DELETED',
  'IMPORTED',
  'UNDONE',
  'EXTERNAL',
];

/**
 * A table's constraint is read from the catalog anew for each statement that writes, a domain's once a session; of the kinds a
 * single advance felt that. The table is read once, but not written, and servers of before go on.
 */
export default class KeepKindsOfChangesInADomain extends Migration {
  override up(): void {
    // The table would be written anew for a domain that has constraints already.
    this.addSql(`create domain scopestate_change_kind as varchar(11)`);
    this.addSql(`
      alter table scopestate_history
        drop constraint scopestate_history_kind,
        alter column kind type scopestate_change_kind`);
    this.addSql(`
      alter domain scopestate_change_kind add constraint scopestate_change_kind
        check (value in (${kinds.map((kind) => `'${kind}'`).join(', ')}))`);
    // With its type a column loses its statistics, and rare kinds were taken for common ones.
    this.addSql(`analyze scopestate_history`);
  }
}
