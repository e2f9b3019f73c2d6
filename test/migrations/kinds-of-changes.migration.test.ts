import { afterEach, expect, test } from '@jest/globals';
import { changeKinds } from '../../src/history/change.rules.js';
import { migrateUp } from '../support/command.js';
import { createTestDatabase, postgresMajors, type TestDatabase } from '../support/test-database.js';

let database: TestDatabase;

afterEach(() => database.drop());

/** Kinds as they were before they had a domain. */
const asBefore = `
  alter table scopestate_history
    alter column kind type varchar(11),
    add constraint scopestate_history_kind check (kind in (${changeKinds.map((kind) => `'${kind}'`).join(', ')}));
  drop domain scopestate_change_kind;
  delete from scopestate_migrations where name = '20261128000000_keep_kinds_of_changes_in_a_domain'`;

const insert = (kind: string, from: string) => `
  insert into scopestate_history (
    kind, state_id, identifier, last_processed_timestamp, active, scope_activation_toggle_date, version, recorded_at, actor
  )
  select ${kind}, 1, 'a', '2026-01-01', true, '2026-01-01', 1, '2026-01-01', 'a test' from ${from}`;

const about = `
  select pg_relation_filenode('scopestate_history') as file, atttypid::regtype::text as type, exists (
    select from pg_stats where tablename = 'scopestate_history' and attname = 'kind'
  ) as has_statistics
  from pg_attribute where attrelid = 'scopestate_history'::regclass and attname = 'kind'`;

test.each(postgresMajors)(
  'a history of before keeps its entries, of every kind, on PostgreSQL %i',
  async (major) => {
    database = await createTestDatabase({ major });
    await database.query(asBefore);
    await database.query(insert('kind', 'unnest($1::text[]) kind'), [changeKinds]);
    await database.query('analyze scopestate_history');
    const entries = 'select to_jsonb(h) as entry from scopestate_history h order by sequence';
    const [before, [was]] = [await database.query(entries), await database.query(about)];
    expect(was).toMatchObject({ type: 'character varying', has_statistics: true });
    await migrateUp(database.url);

    expect(await database.query(entries)).toEqual(before);
    expect(before.map(({ entry }) => (entry as { kind: string }).kind)).toEqual(changeKinds);
    expect(await database.query(about)).toEqual([{ ...was, type: 'scopestate_change_kind' }]);
    await expect(database.query(insert(`'TOUCHED'`, 'scopestate_history_start'))).rejects.toMatchObject({
      code: '23514',
      constraint: 'scopestate_change_kind',
    });
  },
);
