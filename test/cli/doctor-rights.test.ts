import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { runCommand } from '../support/command.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let database: TestDatabase;
/** Roles are the whole server's: each test has some of its own. */
let owner: string;
let server: string;
let history: string;

/** As the README has it: who migrates owns the tables, and the history belongs to a third one. */
beforeEach(async () => {
  database = await createTestDatabase();
  [owner, server, history] = ['owner', 'server', 'history'].map(
    (name) => `doctor_${name}_${randomBytes(6).toString('hex')}`,
  ) as [string, string, string];
  await database.query(`create role ${owner} login password 'x'; create role ${server} login password 'x';
    create role ${history}; ${ownedBy(owner)}`);
});

afterEach(async () => {
  await database.query(
    [owner, server, history]
      .map((name) => `reassign owned by ${name} to current_user; drop owned by ${name}; drop role ${name}`)
      .join(';'),
  );
  await database.drop();
});

const ownedBy = (name: string) => `do $$ declare t name; begin
  for t in select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' loop
    execute format('alter table %I owner to ${name}', t);
  end loop; end $$`;

const readmeRights = () => `
  alter table scopestate_history owner to ${history};
  alter table scopestate_history_start owner to ${history};
  grant select, insert, update, delete on cloudkitty_storage_states to ${server};
  grant usage on sequence cloudkitty_storage_states_id_seq to ${server};
  grant select, update on scopestate_write_probe to ${server};
  grant select on scopestate_migrations, scopestate_history_start, scopestate_tokens to ${server};
  grant select, insert on scopestate_history to ${server}`;

/** What it says to this user, one line a finding with its advice behind it. */
async function doctorAs(user: string): Promise<{ code: number | null; lines: string[] }> {
  const url = new URL(database.url);
  url.username = user;
  url.password = 'x';
  const { code, out } = await runCommand(['doctor'], { env: { DATABASE_URL: url.href } });
  return { code, lines: out.replace(/\n +→/g, ' →').split('\n') };
}

const about = (lines: string[], ...subjects: string[]) =>
  lines.filter((line) => subjects.includes(line.slice(7, 18).trim()));

test('a schema that the user may not use is said as such, not as pending migrations', async () => {
  await database.query(`revoke usage on schema public from public`);
  const { code, lines } = await doctorAs(server);
  expect(lines.filter((line) => line.startsWith('WRONG'))).toEqual([
    `WRONG  schema       the database user "${server}" may not use the schema "public", in which the tables are` +
      ` → as the owner of the schema: grant usage on schema public to ${server}`,
  ]);
  expect(lines.join('\n')).not.toContain('pending');
  expect(code).toBe(1);
  await database.query(`${readmeRights()}; grant usage on schema public to ${server}`);
  expect(await doctorAs(server)).toMatchObject({ code: 0 });
});

test('a schema of others, or one that comes behind the tables’ own, may stay closed', async () => {
  await database.query(`${readmeRights()}; create schema closed; create table closed.scopestate_migrations ();
    alter role ${server} set search_path = '$user', public, closed`);
  expect(await doctorAs(server)).toMatchObject({ code: 0 });
  await database.query(`alter role ${server} set search_path = "$user"`);
  const { lines } = await doctorAs(server);
  expect(about(lines, 'schema')).toEqual([
    expect.stringMatching(/^WRONG +schema +\d+ migrations are pending/),
  ]);
});

test('a schema of any name is found where the sessions look', async () => {
  await database.query(`alter schema public rename to "Its, ""own"""; create schema public;
    alter role ${server} set search_path = public, "Its, ""own"""; revoke usage on schema "Its, ""own""" from public`);
  const { lines } = await doctorAs(server);
  expect(about(lines, 'schema')).toEqual([expect.stringContaining('grant usage on schema "Its, ""own"""')]);
});

test('rights and history agree on a user who may not add to the history, and name the one who may', async () => {
  await database.query(readmeRights());
  const { code, lines } = await doctorAs(owner);
  expect(about(lines, 'rights', 'history')).toEqual([
    'WRONG  rights       the database user lacks select on scopestate_history, insert on scopestate_history,' +
      ` select on scopestate_history_start; it does not look like the server's: that is ${server}, who may add to the` +
      ' history → use the DATABASE_URL of the server, with its user, or grant them to this one',
    `note   history      the database user may not add to it; it belongs to "${history}"`,
  ]);
  expect(code).toBe(1);
  expect(about((await doctorAs(server)).lines, 'rights', 'history')).toEqual([
    'ok     rights       the database user may read and write states',
    'ok     history      the database user may add to it, and alter nothing',
  ]);
});

test('without a user who may add to the history, only what is missing is named', async () => {
  await database.query(`revoke insert on scopestate_history from ${owner}`);
  expect(about((await doctorAs(owner)).lines, 'rights')).toEqual([
    'WRONG  rights       the database user lacks insert on scopestate_history → grant them to the user of DATABASE_URL',
  ]);
});

test('a sequence behind the rows is seen with the server’s rights too, as soon as it can be', async () => {
  await database.query(readmeRights());
  await database.query(`insert into cloudkitty_storage_states (id, identifier, last_processed_timestamp)
    values (7, 'of an id of its own', '2026-01-01')`);
  expect(about((await doctorAs(server)).lines, 'ids')).toEqual([
    expect.stringMatching(/^note +ids .* hidden .* → grant select on sequence/),
  ]);
  await database.query(`insert into cloudkitty_storage_states (identifier, last_processed_timestamp)
    values ('of the sequence', '2026-01-01')`);
  const { lines } = await doctorAs(server);
  const [statement] = /select setval.*$/.exec(about(lines, 'ids')[0]!)!;
  expect(about(lines, 'ids')).toEqual([
    expect.stringMatching(/^WRONG +ids +a new row would get 2, .* up to 7: /),
  ]);
  await database.query(statement);
  expect(about((await doctorAs(server)).lines, 'ids')).toEqual([expect.stringMatching(/^ok +ids /)]);
});
