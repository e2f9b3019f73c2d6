import { Migration } from '@mikro-orm/migrations';

/** CloudKitty's revisions of its states, oldest first; the last one's layout is what the steps before have made. */
const revisions = ['c14eea9d3cc1', 'd9d103dd4dcf', 'c50ed2c19204', '750d3050cf71', '4d69395f', '9feccd32'];
const head = revisions.at(-1);

/**
 * In a database of CloudKitty's: its own upgrade command is to find nothing to do. So its revision becomes the latest one,
 * and the one table that this has and older ones lack is made as CloudKitty makes it.
 */
export default class LetCloudKittyLiveOn extends Migration {
  override async up(): Promise<void> {
    const [found] = await this.execute(`select to_regclass('storage_states_alembic') is not null as there`);
    if (found?.['there'] !== true) return;
    await this.refuseUnknownRevisions();
    this.addSql(`
      create table if not exists storage_scope_reprocessing_schedule (
        id serial,
        identifier varchar(256) not null,
        start_reprocess_time timestamp without time zone not null,
        end_reprocess_time timestamp without time zone not null,
        current_reprocess_time timestamp without time zone,
        reason text not null,
        constraint storage_scope_reprocessing_schedule_pkey primary key (id)
      )`);
    this.addSql(`delete from storage_states_alembic`);
    this.addSql(`insert into storage_states_alembic (version_num) values ('${head}')`);
  }

  /** A CloudKitty newer than this may have changed the table in ways that these steps know nothing of. */
  private async refuseUnknownRevisions(): Promise<void> {
    const rows = await this.execute(`select version_num from storage_states_alembic`);
    const unknown = rows.map((row) => String(row['version_num'])).filter((name) => !revisions.includes(name));
    if (unknown.length === 0) return;
    throw new Error(
      `storage_states_alembic: found the revision ${unknown.join(', ')}; allowed: ${revisions.join(', ')}. ` +
        'This CloudKitty is newer than this scopestate knows; nothing was changed',
    );
  }
}
