import { Migration } from '@mikro-orm/migrations';

/**
 * A row that advances stays on its page when there is room for its new version, and no index has to learn of it (HOT).
 * Rows that are there already get their room bit by bit: as they move away, or by a VACUUM FULL.
 */
export default class LeaveRoomForAdvances extends Migration {
  override up(): void {
    this.addSql('alter table cloudkitty_storage_states set (fillfactor = 70)');
  }
}
