import { Migration } from '@mikro-orm/migrations';

const others = ['identifier', 'scope_key', 'collector', 'fetcher', 'active', 'scope_activation_toggle_date'];
const counted = [...others, 'last_processed_timestamp'];
const ours = ['version', 'revision', 'moved_by_operator', 'updated_at', 'last_advanced_at'];

const answerable = `between '0001-01-01' and '9999-12-31 23:59:59.999999'`;
/** It has to grow by one with each change. */
function countable(count: string): string {
  return `least(greatest(${count}, 1), 1000000000)`;
}

const clock = `timezone('utc', clock_timestamp())`;

function listed(row: 'new' | 'old', columns: readonly string[]): string {
  return columns.map((column) => `${row}.${column}`).join(', ');
}

/**
 * What scopestate keeps for itself was any writer's to set: a version that he raised went by plans, and one time that nobody can
 * answer, such as `infinity`, stopped every page and every live update that came to it. Whoever updates a row leaves all five to
 * the trigger now; a row that is put in keeps what it says of itself as far as that can be answered.
 */
export default class KeepWhatIsOursFromOtherWriters extends Migration {
  override up(): void {
    this.addSql(`select set_config('scopestate.records_history', 'on', true)`);
    this.addSql(`
      update cloudkitty_storage_states
      set version = ${countable('version')}, revision = ${countable('revision')},
        updated_at = case when updated_at ${answerable} then updated_at else ${clock} end,
        last_advanced_at = case when last_advanced_at ${answerable} then last_advanced_at end
      where updated_at not ${answerable} or last_advanced_at not ${answerable}
        or version <> ${countable('version')} or revision <> ${countable('revision')}`);
    this.addSql(`select set_config('scopestate.records_history', '', true)`);
    this.addSql(`
      create or replace function scopestate_count_foreign_write() returns trigger language plpgsql as $$
      begin
        if tg_op = 'INSERT' then
          new.version := ${countable('new.version')};
          new.revision := ${countable('new.revision')};
          if new.updated_at not ${answerable} then
            new.updated_at := ${clock};
          end if;
          if new.last_advanced_at not ${answerable} then
            new.last_advanced_at := null;
          end if;
          return new;
        end if;
${ours.map((column) => `        new.${column} := old.${column};`).join('\n')}
        if (${listed('new', counted)}) is not distinct from (${listed('old', counted)}) then
          return new;
        end if;
        new.version := old.version + 1;
        new.updated_at := ${clock};
        if new.last_processed_timestamp > old.last_processed_timestamp
          and (${listed('new', others)}) is not distinct from (${listed('old', others)})
        then
          new.last_advanced_at := new.updated_at;
        else
          new.revision := old.revision + 1;
        end if;
        return new;
      end $$`);
    this.addSql(`
      create or replace trigger scopestate_count_foreign_write before insert or update on cloudkitty_storage_states
        for each row when (current_setting('scopestate.records_history', true) is distinct from 'on')
        execute function scopestate_count_foreign_write()`);
  }
}
