import { afterEach, expect, test } from '@jest/globals';
import { runCommand } from '../support/command.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer } from '../support/test-server.js';
import { unit } from '../support/units.js';

let database: TestDatabase;

afterEach(() => database.drop());

/** The database as sessions see it that look for tables in these schemas. */
function lookingIn(schemas: string): Record<string, string> {
  const url = new URL(database.url);
  url.searchParams.set('options', `-c search_path=${schemas.replaceAll(' ', '\\ ')}`);
  return { DATABASE_URL: url.href };
}

const schemasOfOurs = () =>
  database.query(
    `select distinct nspname as schema from pg_class join pg_namespace n on n.oid = relnamespace
     where relname ~ '^(scopestate|cloudkitty)_' order by 1`,
  );

/** As if the release before were the last one to have migrated it. */
const oneBefore = (schema: string) =>
  `delete from "${schema}".scopestate_migrations where name = '20261128000100_tell_foreign_updates_by_the_setting'`;

const oneApplied = 'applied   20261128000100_tell_foreign_updates_by_the_setting\n1 migrations applied.\n';

test('a database whose sessions look in a schema other than public is migrated there, served, and migrated again', async () => {
  database = await createTestDatabase({ empty: true });
  await database.query('create schema "Rating States"');
  const env = lookingIn('"Rating States"');
  expect(await runCommand(['migrate', 'up'], { env })).toMatchObject({ code: 0, err: '' });
  expect(await runCommand(['migrate', 'up'], { env })).toEqual({
    code: 0,
    err: '',
    out: 'Nothing is pending.\n',
  });
  await database.query(oneBefore('Rating States'));
  expect(await runCommand(['migrate', 'up'], { env })).toEqual({ code: 0, err: '', out: oneApplied });
  expect(await schemasOfOurs()).toEqual([{ schema: 'Rating States' }]);

  const server = await startServer(env);
  const advance = `mutation ($unit: CollectionUnitInput!) {
    advanceScopeState(input: { unit: $unit, lastProcessedTimestamp: "2026-01-01T00:00:00Z" }) {
      outcome scopeState { changes(first: 2) { nodes { kind } } }
    }
  }`;
  expect(await server.data(advance, { unit: unit() })).toEqual({
    advanceScopeState: { outcome: 'CREATED', scopeState: { changes: { nodes: [{ kind: 'CREATED' }] } } },
  });
  expect(await server.stop()).toBe(0);
});

test('where a schema came in front of that of the tables, they are migrated where they are', async () => {
  database = await createTestDatabase();
  await database.query('create schema in_front');
  await database.query(oneBefore('public'));
  const env = lookingIn('in_front,public');
  expect(await runCommand(['migrate', 'up'], { env })).toEqual({ code: 0, err: '', out: oneApplied });
  expect(await schemasOfOurs()).toEqual([{ schema: 'public' }]);
});
