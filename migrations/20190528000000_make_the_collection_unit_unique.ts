import { Migration } from '@mikro-orm/migrations';

const unit = 'identifier, scope_key, collector, fetcher';

/**
 * One row a unit, and one legacy row a scope id (NULLS NOT DISTINCT). CloudKitty's own constraint of that name lets
 * several legacy rows of one scope id stand beside each other, and at two of its revisions UNIQUE (identifier) still
 * binds. Duplicates stop the migration, unless the transaction's setting scopestate.on_duplicate says which one stays.
 */
export default class MakeTheCollectionUnitUnique extends Migration {
  override async up(): Promise<void> {
    await this.execute(`
      do $$
      declare old_constraint text;
      begin
        for old_constraint in
          select conname from pg_constraint
          where conrelid = 'cloudkitty_storage_states'::regclass and contype = 'u'
        loop
          execute format('alter table cloudkitty_storage_states drop constraint %I', old_constraint);
        end loop;
      end $$`);
    await this.resolveDuplicates();
    this.addSql(`
      alter table cloudkitty_storage_states
        add constraint uq_cloudkitty_storage_states_identifier unique nulls not distinct (${unit})`);
  }

  private async resolveDuplicates(): Promise<void> {
    const timestamp = await this.timestampColumn();
    const duplicates = await this.execute(`
      select id, ${unit}, ${readable(timestamp)} as state from (
        select *, count(*) over (partition by ${unit}) as copies from cloudkitty_storage_states
      ) counted where copies > 1 order by identifier, scope_key, collector, fetcher, id`);
    if (duplicates.length === 0) return;

    const [setting] = await this.execute(`select current_setting('scopestate.on_duplicate', true) as keep`);
    const keep = setting?.['keep'] as string | null | undefined;
    if (keep !== 'keep-earliest' && keep !== 'keep-latest') {
      throw new Error(
        [
          `${duplicates.length} rows stand for a unit that another row stands for as well; nothing was changed:`,
          ...duplicates.map((row) => `  ${JSON.stringify(row)}`),
          'Say which state stays: scopestate migrate up --on-duplicate keep-earliest (or keep-latest).',
          'keep-earliest rates the time between again; keep-latest takes it as rated.',
        ].join('\n'),
      );
    }
    // The runner lists what this table holds, in the same transaction.
    await this.execute(`
      create temporary table scopestate_dropped_duplicates on commit drop as
      select id, ${unit}, state from (
        select id, ${unit}, ${readable(timestamp)} as state, row_number() over (
          partition by ${unit} order by ${timestamp} ${keep === 'keep-latest' ? 'desc' : 'asc'}, id
        ) as place from cloudkitty_storage_states
      ) placed where place > 1`);
    await this.execute(
      `delete from cloudkitty_storage_states where id in (select id from scopestate_dropped_duplicates)`,
    );
  }

  /** The column is called state until CloudKitty's revision 750d3050cf71. */
  private async timestampColumn(): Promise<string> {
    const [row] = await this.execute(`
      select attname from pg_attribute
      where attrelid = 'cloudkitty_storage_states'::regclass and not attisdropped
        and attname in ('state', 'last_processed_timestamp')`);
    return String(row?.['attname']);
  }
}

/** Year first, whatever the session's DateStyle is. */
function readable(timestamp: string): string {
  return `to_char(${timestamp}, 'YYYY-MM-DD HH24:MI:SS.US')`;
}
