import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { TestDatabase } from '../support/test-database.js';
import { MariaDb, whyNoMariaDb } from './mariadb-server.js';
import { numbersIn, Transfer } from './transfer-command.js';

const whyNot = whyNoMariaDb();
if (whyNot !== undefined) console.log(`Import from a real MariaDB is NOT tested in this run: ${whyNot}`);
const describeMariaDb = whyNot === undefined ? describe : describe.skip;

const rowCount = 100_000;

/** CloudKitty's table as Alembic makes it there; `state` is its first name of the timestamp. */
const tableWith = (timestamp: string) => `
  create table cloudkitty_storage_states (
    id int not null auto_increment primary key, identifier varchar(256) not null, scope_key varchar(40),
    collector varchar(40), fetcher varchar(40), ${timestamp} datetime(6) not null,
    scope_activation_toggle_date datetime(6) not null default now(6), active tinyint(1) not null default 1
  ) character set utf8mb4 collate utf8mb4_general_ci`;

describeMariaDb('from a MariaDB', () => {
  let mariadb: MariaDb;
  let transfer: Transfer;
  let database: TestDatabase;

  beforeAll(async () => {
    mariadb = await MariaDb.start();
    transfer = await Transfer.create();
    database = await transfer.database();
    await mariadb.admin.query(`
      create user ck@'127.0.0.1' identified by 'p@ss/wörd';
      create database new; create database old; create database none;
      grant select on *.* to ck@'127.0.0.1';
      set time_zone = '+03:00';
      use new; ${tableWith('last_processed_timestamp')};
      insert into cloudkitty_storage_states (identifier, scope_key, collector, fetcher, last_processed_timestamp, active)
      select concat('𝔘 ', seq), if(seq % 10, 'project_id', null), if(seq % 10, 'gnocchi', null), if(seq % 10, 'keystone', null),
        '2026-01-01 02:30:00.123456' + interval seq second, seq % 7 > 0 from seq_1_to_${rowCount};
      use old; ${tableWith('state')};
      insert into cloudkitty_storage_states (identifier, state) values ('a', '2019-02-06 12:00:00'), ('b', '2030-01-01');
      insert into cloudkitty_storage_states (identifier, scope_key, collector, fetcher, state) values ('c', '', '', '', '2019-01-01');`);
  });
  afterAll(async () => {
    await mariadb.stop();
    await transfer.dispose();
  });
  beforeEach(() => database.query('delete from cloudkitty_storage_states'));

  const password = 'p%40ss%2Fw%C3%B6rd';
  const urlOf = (name: string, { port = mariadb.port, secret = password } = {}) =>
    `mysql+pymysql://ck:${secret}@127.0.0.1:${port}/${name}?charset=utf8`;
  const stored = async () =>
    (await database.query<{ count: number }>('select count(*)::int from cloudkitty_storage_states'))[0]!
      .count;
  const oneLine = (why: string) =>
    expect.stringMatching(
      new RegExp(`^scopestate: can't read mysql://[^\\n]*${why}[^\\n]*; nothing was changed\\n$`),
    );

  test(`${rowCount} rows come over exactly; once more, and nothing is changed`, async () => {
    const { code, out } = await transfer.run(database, 'import', urlOf('new'), '--apply');
    expect({ code, numbers: numbersIn(out) }).toMatchObject({
      code: 0,
      numbers: { read: rowCount, inserted: rowCount },
    });
    const [theirs] = await mariadb.admin.query(
      `select identifier, scope_key, collector, fetcher, date_format(last_processed_timestamp, '%Y-%m-%d %H:%i:%s.%f') as at, active
       from new.cloudkitty_storage_states order by id`,
    );
    const ours = await database.query(
      `select identifier, scope_key, collector, fetcher, to_char(last_processed_timestamp, 'YYYY-MM-DD HH24:MI:SS.US') as at,
         active::int from cloudkitty_storage_states order by last_processed_timestamp`,
    );
    expect(JSON.stringify(ours)).toBe(JSON.stringify(theirs));
    const again = await transfer.run(database, 'import', urlOf('new'), '--apply');
    expect(numbersIn(again.out)).toMatchObject({ inserted: 0, updated: 0, unchanged: rowCount });
  });

  test('the early column `state` is taken too; a state in the future and empty texts are set aside', async () => {
    const { code, out } = await transfer.run(database, 'import', urlOf('old'), '--apply');
    expect({ code, numbers: numbersIn(out) }).toMatchObject({
      code: 1,
      numbers: { inserted: 1, rejected: 2 },
    });
    expect(await transfer.read('scopestate-import.rejects.csv')).not.toContain('ss/w');
  });

  test("the README's way back brings an export over exactly, empty fields and flags too", async () => {
    await database.query(`insert into cloudkitty_storage_states
        (identifier, scope_key, collector, fetcher, last_processed_timestamp, active, scope_activation_toggle_date)
      values ('a "b", c\\d', null, null, null, '2026-01-01 00:00:00.5', false, '2025-01-01'),
        ('𝔘', 'k', null, 'f', '2026-01-02', true, '2025-01-01 00:00:00.000001')`);
    const { out } = await transfer.run(database, 'export');
    const [load] = /load data local infile[^]*?;/.exec(await readFile('README.md', 'utf8'))!;
    await mariadb.admin.query(`create database back; use back; ${tableWith('last_processed_timestamp')}`);
    await mariadb.admin.query({ sql: load, infileStreamFactory: () => Readable.from([Buffer.from(out)]) });
    expect((await mariadb.admin.query('show warnings'))[0]).toEqual([]);
    await database.query('delete from cloudkitty_storage_states');
    expect(await transfer.run(database, 'import', urlOf('back'), '--apply')).toMatchObject({ code: 0 });
    expect((await transfer.run(database, 'export')).out).toBe(out);
  });

  test.each([
    { what: 'a wrong password', url: () => urlOf('new', { secret: 'hunter2' }), why: 'Access denied' },
    { what: 'a missing database', url: () => urlOf('nowhere'), why: 'nowhere' },
    { what: 'a missing table', url: () => urlOf('none'), why: 'it has no table cloudkitty_storage_states' },
    { what: 'a host that is gone', url: () => urlOf('new', { port: 1 }), why: 'ECONNREFUSED' },
  ])('$what is one line without the password', async ({ url, why }) => {
    const { code, out, err } = await transfer.run(database, 'import', url(), '--apply');
    expect({ code, out, err }).toEqual({ code: 1, out: '', err: oneLine(why) });
    expect(err).not.toMatch(/hunter2|p%40ss|p@ss/);
    expect(await stored()).toBe(0);
  });

  test('a connection that is cut half-way is one line, and nothing is there', async () => {
    const cutting = await startCuttingProxy(mariadb.port, 1_000_000);
    const { code, err } = await transfer.run(
      database,
      'import',
      urlOf('new', { port: cutting.port }),
      '--apply',
    );
    cutting.stop();
    expect({ code, err }).toEqual({ code: 1, err: oneLine('') });
    expect(cutting.passed()).toBeGreaterThanOrEqual(1_000_000);
    expect(await stored()).toBe(0);
  });
});

/** Lets so many bytes of answers through, then cuts the connection. */
async function startCuttingProxy(to: number, most: number) {
  let passed = 0;
  const server = createServer((client: Socket) => {
    const upstream = connect(to, '127.0.0.1');
    client.pipe(upstream);
    upstream.on('data', (bytes: Buffer) => {
      passed += bytes.length;
      client.write(bytes);
      if (passed < most) return;
      client.destroy();
      upstream.destroy();
    });
    for (const socket of [client, upstream]) socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, passed: () => passed, stop: () => server.close() };
}
