import { afterEach, expect, test } from '@jest/globals';
import { runCommand } from '../support/command.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { everything } from '../migrations/layout.js';

let database: TestDatabase;

afterEach(() => database.drop());

async function status(): Promise<string> {
  const { code, out, err } = await runCommand(['migrate', 'status'], { env: { DATABASE_URL: database.url } });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out;
}

const countOf = (out: string, kind: string) =>
  Number(new RegExp(`^ *(\\d+)  ${kind}(:|$)`, 'm').exec(out)?.[1]);

test('tells what CloudKitty left, before anything is touched', async () => {
  database = await createTestDatabase({ dump: 'head-populated.sql' });
  await database.query(`insert into cloudkitty_storage_states values
    (101, 'AAAA', null, null, null, '2018-01-01', now(), true), (102, 'old', 'a', 'b', 'c', '1960-01-01', now(), true),
    (103, 'endless', 'a', 'b', 'c', 'infinity', now(), true), (104, 'hollow', '', '', '', '2018-01-01', now(), true)`);
  const before = await everything(database);
  const out = await status();
  expect(out).toMatch(/^CloudKitty's revision 9feccd32, its latest\n/);
  expect(out).not.toContain('upgraded at the same time');
  expect(
    [
      'rows',
      'legacy',
      'partly filled',
      'with an empty text',
      'duplicates',
      'in the future',
      'over-long',
      'of a time that no answer can hold',
    ].map((kind) => countOf(out, kind)),
  ).toEqual([26, 8, 1, 1, 2, 1, 0, 2]);
  expect(out).toMatch(/partly filled: .* \(scope id "partly-filled"\)$/m);
  expect(out).toMatch(/^pending {3}20181001000000_create_storage_states$/m);
  expect(out).toMatch(/\n0 applied, \d+ pending\.\n$/);
  expect(await everything(database)).toEqual(before);
});

test.each(['legacy-initial.sql', 'd9d103dd4dcf-legacy-rows.sql', 'c50ed2c19204-legacy-rows.sql'])(
  'says of %s that CloudKitty’s own code must be upgraded at the same time',
  async (dump) => {
    database = await createTestDatabase({ dump });
    const out = await status();
    expect(out).toMatch(
      /^CloudKitty's revision (c14eea9d3cc1|d9d103dd4dcf|c50ed2c19204)\n.*upgraded at the same time/,
    );
    expect([countOf(out, 'rows'), countOf(out, 'legacy'), countOf(out, 'in the future')]).toEqual([
      10, 10, 1,
    ]);
  },
);

test.each(['750d3050cf71-legacy-rows.sql', '4d69395f-legacy-rows.sql'])(
  'says of %s which revision it is',
  async (dump) => {
    database = await createTestDatabase({ dump });
    expect((await status()).split('\n')[0]).toMatch(/^CloudKitty's revision (750d3050cf71|4d69395f)$/);
  },
);

test('says of an empty database that there is no table, and of a migrated one what is in it', async () => {
  database = await createTestDatabase({ empty: true });
  expect(await status()).toMatch(/^no table of states yet\n/);
  await runCommand(['migrate', 'up'], { env: { DATABASE_URL: database.url } });
  const out = await status();
  expect(countOf(out, 'rows')).toBe(0);
  expect(out).toMatch(/\n\d+ applied, 0 pending\.\n$/);
});

test('counts scope ids that are there twice where the unit has no columns yet', async () => {
  database = await createTestDatabase({ empty: true });
  await database.query(`create table cloudkitty_storage_states (id serial primary key, identifier varchar(256) not null, state timestamp not null);
    insert into cloudkitty_storage_states (identifier, state) values ('a', '2018-01-01'), ('a', '2018-01-02'), ('b', '2018-01-01')`);
  expect(countOf(await status(), 'duplicates')).toBe(2);
});
