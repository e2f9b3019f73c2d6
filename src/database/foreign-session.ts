import { Client } from 'pg';
import { connectTimeoutMillis } from './deadlines.js';
import { endConnection } from './end-connection.js';

/** A connection to a PostgreSQL that is not ours, for reading: one snapshot, times in UTC and year first. */
export async function openForeignSession(url: string): Promise<Client> {
  const client = new Client({
    connectionString: url,
    application_name: 'scopestate import',
    connectionTimeoutMillis: connectTimeoutMillis,
    keepAlive: true,
  });
  client.on('error', () => {}); // the statement on its way, or the next one, tells of it
  try {
    await client.connect();
    await client.query(
      [
        'begin isolation level repeatable read read only',
        'set local statement_timeout = 0',
        'set local idle_in_transaction_session_timeout = 0',
        `set local timezone = 'UTC'`,
        `set local datestyle = 'ISO, YMD'`,
      ].join('; '),
    );
    return client;
  } catch (error) {
    await endConnection(client);
    throw error;
  }
}
