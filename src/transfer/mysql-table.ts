import { createConnection, type Connection, type ConnectionOptions, type RowDataPacket } from 'mysql2';
import { readFileSync } from 'node:fs';
import { OperatorError } from '../fault.js';
import { sourceTable, type ForeignTable } from './database-source.js';

const connectTimeoutMillis = 10_000;
const rowsAtOnce = 1_000;

/** MySQL or MariaDB. Times come as the texts that the columns hold: nobody's time zone is asked. */
export async function openMysqlTable(url: string): Promise<ForeignTable> {
  const connection = createConnection(optionsOf(new URL(url)));
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {}); // heard of by whoever waits for an answer
  connection.on('error', broken.reject);
  const query = <Row>(sql: string, values: unknown[] = []) =>
    Promise.race([broken.promise, rowsOf<Row>(connection, sql, values)]);
  try {
    await Promise.race([broken.promise, connected(connection)]);
    // Its columns know 1970 as TIMESTAMP's beginning in the session's zone; CloudKitty writes UTC.
    await query(`set time_zone = '+00:00'`);
    await query('set session transaction isolation level repeatable read');
    await query('start transaction with consistent snapshot, read only');
  } catch (error) {
    connection.destroy();
    throw error;
  }
  return {
    columns: async () =>
      (
        await query<[string]>(
          `/* MysqlTable.columns */ select column_name from information_schema.columns
           where table_schema = database() and table_name = ? order by ordinal_position`,
          [sourceTable],
        )
      ).map(([name]) => name),
    count: async () => {
      const [row] = await query<[number]>(`/* MysqlTable.count */ select count(*) from ${sourceTable}`);
      return row![0];
    },
    async *rows(columns) {
      const list = columns.map((name) => `\`${name}\``).join(', ');
      const stream = connection
        .query({ sql: `/* MysqlTable.rows */ select ${list} from ${sourceTable}`, rowsAsArray: true })
        .stream({ highWaterMark: rowsAtOnce });
      connection.once('error', (error: Error) => stream.destroy(error));
      let batch: unknown[][] = [];
      for await (const row of stream as AsyncIterable<unknown[]>) {
        if (batch.push(row) < rowsAtOnce) continue;
        yield batch;
        batch = [];
      }
      yield batch;
    },
    close: () => {
      connection.destroy();
      return Promise.resolve();
    },
  };
}

/** What PyMySQL's users write behind the question mark, as far as it has a meaning here. */
const knownParameters = ['charset', 'unix_socket', 'ssl_ca'];

function optionsOf({ hostname, port, username, password, pathname, searchParams }: URL): ConnectionOptions {
  const unknown = [...searchParams.keys()].find((name) => !knownParameters.includes(name));
  if (unknown !== undefined) {
    throw new OperatorError(
      `the source's URL has the parameter ${unknown}; allowed: ${knownParameters.join(', ')}`,
    );
  }
  const socketPath = searchParams.get('unix_socket');
  const ca = searchParams.get('ssl_ca');
  return {
    ...(socketPath === null
      ? { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 3306) }
      : { socketPath }),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    ...(ca !== null && { ssl: { ca: readFileSync(ca) } }),
    charset: 'utf8mb4',
    dateStrings: true,
    connectTimeout: connectTimeoutMillis,
    enableKeepAlive: true,
  };
}

function connected(connection: Connection): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  connection.connect((error) => (error ? reject(error) : resolve()));
  return promise;
}

function rowsOf<Row>(connection: Connection, sql: string, values: unknown[]): Promise<Row[]> {
  const { promise, resolve, reject } = Promise.withResolvers<Row[]>();
  connection.query<RowDataPacket[][]>({ sql, values, rowsAsArray: true }, (error, rows) =>
    error ? reject(error) : resolve(rows as unknown as Row[]),
  );
  return promise;
}
