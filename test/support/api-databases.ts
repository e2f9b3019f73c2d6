import { migrateUp } from './command.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

export interface ApiDatabase {
  readonly name: string;
  readonly create: () => Promise<TestDatabase>;
}

/** For `describe.each`: what the API answers must not depend on which of these it stands on. */
export const apiDatabases: ApiDatabase[] = [
  { name: 'a database as scopestate makes it', create: () => createTestDatabase() },
  { name: 'a database with foreign session defaults', create: createForeignDatabase },
];

/** As SQL. Whoever relies on UTC, ISO dates or READ COMMITTED without saying so is found out here. */
const foreignDefaults = {
  timezone: `'America/St_Johns'`, // three and a half hours behind UTC, and daylight saving
  datestyle: 'SQL, DMY',
  default_transaction_isolation: 'serializable',
};

async function createForeignDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase({
    empty: true,
    options: `locale_provider icu icu_locale 'en-US' encoding utf8`,
  });
  const name = new URL(database.url).pathname.slice(1);
  for (const [setting, value] of Object.entries(foreignDefaults)) {
    await database.query(`alter database ${name} set ${setting} = ${value}`);
  }
  await migrateUp(database.url);
  await database.reconnect(); // defaults are a session's from its start on
  const [found] = await database.query<Record<string, string>>(
    `select ${Object.keys(foreignDefaults)
      .map((setting) => `current_setting('${setting}') as ${setting}`)
      .join(', ')}, datlocprovider as provider from pg_database where datname = current_database()`,
  );
  const wanted = [...Object.values(foreignDefaults).map((value) => value.replaceAll("'", '')), 'i'];
  if (String(Object.values(found!)) !== String(wanted)) {
    throw new Error(`found ${String(Object.values(found!))}; wanted: ${String(wanted)}`);
  }
  return database;
}
