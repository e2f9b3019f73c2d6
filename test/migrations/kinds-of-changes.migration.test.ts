import { afterEach, expect, test } from '@jest/globals';
import { changeKinds } from '../../src/history/change.rules.js';
import { migrateUp } from '../support/command.js';
import { createTestDatabase, postgresMajors, type TestDatabase } from '../support/test-database.js';

let database: TestDatabase;

afterEach(() => database.drop());

/** Kinds as they were before they had a type of their own. */
const asTexts = `
  drop index scopestate_history_of_scope, scopestate_history_of_kind;
  alter table scopestate_history alter column kind type varchar(11);
  alter table scopestate_history add constraint scopestate_history_kind
    check (kind in (${changeKinds.map((kind) => `'${kind}'`).join(', ')}));
  create index scopestate_history_of_scope on scopestate_history (identifier) where kind <> 'ADVANCED';
  create index scopestate_history_of_kind on scopestate_history (kind, sequence) where kind <> 'ADVANCED';
  drop type scopestate_change_kind;
  delete from scopestate_migrations where name = '20261128000000_give_kinds_of_changes_a_type'`;

const insert = (kinds: string) => `
  insert into scopestate_history (
    kind, state_id, identifier, last_processed_timestamp, active, scope_activation_toggle_date, version, recorded_at, actor
  )
  select kind, 1, 'a', '2026-01-01', true, '2026-01-01', 1, '2026-01-01', 'a test' from ${kinds}`;

const entries = `select kind::text, to_jsonb(h) - 'kind' as rest from scopestate_history h order by sequence`;

test.each(postgresMajors)(
  'a history of before keeps its entries, of every kind, on PostgreSQL %i',
  async (major) => {
    database = await createTestDatabase({ major });
    await database.query(asTexts);
    await database.query(insert('unnest($1::text[]) kind'), [changeKinds]);
    const before = await database.query<{ kind: string }>(entries);
    await migrateUp(database.url);

    const after = await database.query<{ kind: string }>(entries);
    expect(after.map(({ kind }) => kind)).toEqual(changeKinds);
    expect(after).toEqual(before);
    await expect(
      database.query(insert(`(select 'TOUCHED'::scopestate_change_kind) k (kind)`)),
    ).rejects.toMatchObject({
      code: '22P02',
    });
  },
);
