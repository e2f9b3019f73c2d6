import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

export type PostgresMajor = 15 | 18;
export const postgresMajors: PostgresMajor[] = [18, 15];

/** Of cases that start many processes each: all on each PostgreSQL at full scale, else one after the other on one of them. */
export function casesOn<Case>(major: PostgresMajor, cases: readonly Case[]): Case[] {
  if (process.env['TEST_SCALE'] === '1') return [...cases];
  return cases.filter((_, place) => postgresMajors[place % postgresMajors.length] === major);
}

export interface TestDatabase {
  readonly url: string;
  /** rows of a statement; numbers of type bigint come as text */
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** the same as scopestate itself changes rows: what is its own to set is taken, and no entry is written */
  writeAsOurs(text: string, values?: unknown[]): Promise<void>;
  /** a connection of the test's own, closed by `drop` */
  connect(): Promise<pg.Client>;
  /** new sessions for `query`, which know the database's defaults as they are now */
  reconnect(): Promise<void>;
  /** drops the database; after a failed test keeps it and prints its URL */
  drop(): Promise<void>;
}

export interface DatabaseWanted {
  major?: PostgresMajor;
  /** an empty database instead of a migrated one */
  empty?: boolean;
  /** more words of CREATE DATABASE, for an empty one */
  options?: string;
  /** a dump of test/fixtures/cloudkitty to load into an empty one */
  dump?: string;
}

/** A database of the test file's own, cloned from a migrated template unless told otherwise. */
export async function createTestDatabase(wanted: DatabaseWanted = {}): Promise<TestDatabase> {
  const { major = 18, dump, empty = dump !== undefined, options = '' } = wanted;
  const serverUrl = testServerUrl(major);
  const name = `test_${randomBytes(6).toString('hex')}`;
  const template = empty ? 'template0' : 'template_migrated';
  await administer(serverUrl, `create database ${name} template ${template} ${options}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  if (dump !== undefined) await load(url.href, dump);

  let pool = openPool(url.href);
  const clients: pg.Client[] = [];
  return {
    url: url.href,
    query: async <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) =>
      (await pool.query<Row>(text, values)).rows,
    writeAsOurs: async (text, values) => {
      const client = await pool.connect();
      try {
        await client.query(`begin; set local scopestate.records_history = 'on'`);
        await client.query(text, values);
        await client.query('commit');
      } finally {
        client.release(true);
      }
    },
    connect: async () => {
      const client = new pg.Client(url.href);
      await client.connect();
      clients.push(client);
      return client;
    },
    reconnect: async () => {
      await pool.end();
      pool = openPool(url.href);
    },
    drop: async () => {
      await Promise.all([pool.end(), ...clients.map((client) => client.end())]);
      if (Reflect.get(globalThis, 'someTestFailed') === true) {
        await writeFile(join(process.env['SCOPESTATE_TEST_FOLDER']!, 'keep'), '');
        console.log(`A test failed; its database ${name} of PostgreSQL ${major} is kept.`);
        return;
      }
      await administer(serverUrl, `drop database ${name} with (force)`);
    },
  };
}

export function testServerUrl(major: PostgresMajor = 18): string {
  return (JSON.parse(process.env['SCOPESTATE_TEST_URLS']!) as Record<PostgresMajor, string>)[major];
}

function openPool(connectionString: string): pg.Pool {
  const pool = new pg.Pool({ connectionString, max: 4 });
  pool.on('error', () => {}); // a test may stop the server that the pool's idle connections go to
  return pool;
}

async function load(url: string, dump: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(await readFile(`test/fixtures/cloudkitty/${dump}`, 'utf8'));
  await client.end();
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(statement);
  await client.end();
}
