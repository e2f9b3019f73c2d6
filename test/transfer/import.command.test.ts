import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { waitsForLock } from '../support/lock-waits.js';
import type { TestDatabase } from '../support/test-database.js';
import { until } from '../support/until.js';
import { header, numbersIn, rowsOf, Transfer } from './transfer-command.js';

let transfer: Transfer;
let database: TestDatabase;

beforeAll(async () => {
  transfer = await Transfer.create();
  database = await transfer.database();
});
beforeEach(() => database.query('delete from cloudkitty_storage_states'));
afterAll(() => transfer.dispose());

const unit = 'a,project_id,gnocchi,keystone';
const toggled = '2025-01-01T00:00:00Z';
const lineOf = (at: string, active = true, toggle = toggled) => `${unit},${at},${active},${toggle}`;

async function imported(lines: string[], ...words: string[]) {
  const path = await transfer.file('in.csv', [header, ...lines, ''].join('\n'));
  const result = await transfer.run(database, 'import', path, ...words);
  return { ...result, numbers: numbersIn(result.out) };
}

const stored = () =>
  database.query<{
    at: string;
    active: boolean;
    version: number;
    revision: number;
    moved: boolean;
    toggled: string;
  }>(
    `select last_processed_timestamp::text as at, active, version, revision, moved_by_operator as moved,
       scope_activation_toggle_date::text as toggled from cloudkitty_storage_states order by id`,
  );

test('a dry run says what would be and changes nothing; --apply does it; again, nothing is changed', async () => {
  const lines = [
    lineOf('2026-01-01T00:00:00.123456Z'),
    'b,,,,2026-01-02 00:00:00,,',
    'c,k,,,2026-01-03T00:00:00Z,f,',
  ];
  const dry = await imported(lines);
  expect(dry).toMatchObject({ code: 0, numbers: { read: 3, 'would insert': 3, 'partly filled': 1 } });
  expect(dry.out).toMatch(/dry run/);
  expect(await rowsOf(database)).toEqual([]);

  expect(await imported(lines, '--apply')).toMatchObject({ code: 0, numbers: { read: 3, inserted: 3 } });
  const rows = await rowsOf(database);
  expect(await stored()).toMatchObject([
    {
      at: '2026-01-01 00:00:00.123456',
      active: true,
      toggled: '2025-01-01 00:00:00',
      version: 1,
      moved: false,
    },
    { at: '2026-01-02 00:00:00', active: true },
    { at: '2026-01-03 00:00:00', active: false },
  ]);
  expect(await imported(lines, '--apply')).toMatchObject({ code: 0, numbers: { inserted: 0, unchanged: 3 } });
  expect((await rowsOf(database)).map(({ row }) => row.slice(row.indexOf(' ')))).toEqual(
    rows.map(({ row }) => row.slice(row.indexOf(' '))),
  );
});

test('bad lines are told with file, line, column and reason, set aside, and stop no good one', async () => {
  const bad = [
    'x,"open,,,2026-01-01T00:00:00Z,,',
    'y,,,,not a time,,',
    ',,,,2026-01-01T00:00:00Z,,',
    'z,,,,9000-01-01T00:00:00Z,,',
    'too,few',
  ];
  const { code, numbers, out } = await imported(
    [lineOf('2026-01-01T00:00:00Z'), ...bad, 'q,,,,2026-01-01T00:00:00Z,,'],
    '--apply',
  );
  expect({ code, numbers }).toMatchObject({ code: 1, numbers: { read: 7, inserted: 2, rejected: 5 } });
  const file = transfer.path('in.csv');
  expect(out).toContain(`rejected  ${file}, line 4, lastProcessedTimestamp: found "not a time"; allowed: `);
  const rejects = await transfer.read('in.csv.rejects.csv');
  expect(rejects.split('\n').slice(0, 2)).toEqual([
    'file,line,column,reason,text',
    `${file},3,,a quote is opened and not closed,"x,""open,,,2026-01-01T00:00:00Z,,"`,
  ]);
  expect(rejects).toMatch(/,6,lastProcessedTimestamp,it is later than the database's clock/);
  expect(await stored()).toHaveLength(2);
});

describe('a conflict', () => {
  const earlier = '2026-01-01T00:00:00Z';
  const later = '2026-02-01T00:00:00Z';

  test.each([
    { rule: 'fail', given: later, at: '2026-01-01', code: 1, numbers: { conflicts: 1, 'would skip': 0 } },
    { rule: 'skip', given: later, at: '2026-01-01', code: 0, numbers: { conflicts: 1, skipped: 1 } },
    { rule: 'keep-latest', given: later, at: '2026-02-01', code: 0, numbers: { updated: 1, skipped: 0 } },
    { rule: 'keep-earliest', given: later, at: '2026-01-01', code: 0, numbers: { updated: 0, skipped: 1 } },
  ])('with what is stored, under $rule', async ({ rule, given, at, code, numbers }) => {
    await imported([lineOf(earlier)], '--apply');
    const result = await imported(
      [lineOf(given), 'new,,,,2026-01-01T00:00:00Z,,'],
      '--apply',
      '--on-conflict',
      rule,
    );
    expect(result).toMatchObject({ code, numbers });
    const rows = await stored();
    expect(rows).toHaveLength(rule === 'fail' ? 1 : 2);
    expect(rows[0]!.at).toBe(`${at} 00:00:00`);
    expect(result.out).toContain('conflict  line 2 ["a","project_id","gnocchi","keystone"]: ');
    const again = await imported(
      [lineOf(given), 'new,,,,2026-01-01T00:00:00Z,,'],
      '--apply',
      '--on-conflict',
      rule,
    );
    expect(await stored()).toEqual(rows);
    expect(again.numbers).not.toMatchObject({ updated: 1 });
  });

  test('that moves a state back is an operator’s move, and raises version and revision by 1', async () => {
    await imported([lineOf(later)], '--apply');
    await imported([lineOf(earlier)], '--apply', '--on-conflict', 'keep-earliest');
    expect(await stored()).toMatchObject([
      { at: '2026-01-01 00:00:00', version: 2, revision: 2, moved: true },
    ]);
    await imported([lineOf(later)], '--apply', '--on-conflict', 'keep-latest');
    expect(await stored()).toMatchObject([
      { at: '2026-02-01 00:00:00', version: 3, revision: 3, moved: true },
    ]);
  });

  test('of equal states is decided by the toggle date, and what is not given is not compared', async () => {
    await imported([lineOf(earlier)], '--apply');
    const older = lineOf(earlier, false, '2024-01-01T00:00:00Z');
    const newer = lineOf(earlier, false, '2025-06-01T00:00:00Z');
    expect(await imported([older], '--apply', '--on-conflict', 'keep-latest')).toMatchObject({
      numbers: { skipped: 1 },
    });
    expect(await imported([newer], '--apply', '--on-conflict', 'keep-earliest')).toMatchObject({
      numbers: { updated: 1 },
    });
    expect(await stored()).toMatchObject([{ active: false, toggled: '2025-06-01 00:00:00' }]);
    expect(await imported([`${unit},${earlier},,`], '--apply')).toMatchObject({
      code: 0,
      numbers: { unchanged: 1 },
    });
  });

  test.each([
    { rule: 'skip', at: '2026-01-15 00:00:00' },
    { rule: 'keep-latest', at: '2026-02-01 00:00:00' },
    { rule: 'keep-earliest', at: '2026-01-01 00:00:00' },
  ])('of lines among themselves, under $rule; equal lines are repeated', async ({ rule, at }) => {
    const lines = ['2026-01-15T00:00:00Z', later, earlier, later, '2026-01-15T00:00:00Z'].map((time) =>
      lineOf(time),
    );
    expect(await imported(lines, '--apply')).toMatchObject({
      code: 1,
      numbers: { read: 5, repeated: 2, conflicts: 2 },
    });
    expect(await stored()).toEqual([]);
    expect(await imported(lines, '--apply', '--on-conflict', rule)).toMatchObject({
      code: 0,
      numbers: { read: 5, repeated: 2, conflicts: 2, skipped: 2, inserted: 1 },
    });
    expect(await stored()).toMatchObject([{ at }]);
  });

  test('units differ also where only a NULL differs', async () => {
    const lines = ['a,,,', 'a,k,,', 'a,,k,', 'a,,,k', 'a,k,k,k'].map(
      (text, day) => `${text},2026-01-0${day + 1}T00:00:00Z,,`,
    );
    expect(await imported(lines, '--apply')).toMatchObject({ code: 0, numbers: { inserted: 5 } });
    expect(await imported(lines, '--apply')).toMatchObject({ code: 0, numbers: { unchanged: 5 } });
  });
});

describe('other writers', () => {
  test('a row that somebody inserts meanwhile is looked at again, not lost and not doubled', async () => {
    const other = await database.connect();
    await other.query('begin');
    await other.query(`insert into cloudkitty_storage_states (identifier, scope_key, collector, fetcher, last_processed_timestamp)
      values ('a', 'project_id', 'gnocchi', 'keystone', '2026-03-01')`);
    const running = imported([lineOf('2026-01-01T00:00:00Z')], '--apply');
    await waitsForLock(database, 'Import.insert');
    await other.query('commit');
    expect(await running).toMatchObject({ code: 1, numbers: { conflicts: 1 } });
    expect(await stored()).toMatchObject([{ at: '2026-03-01 00:00:00' }]);
  });

  test('a row that changes while it is waited for is compared as it then is', async () => {
    await imported([lineOf('2026-01-01T00:00:00Z')], '--apply');
    const other = await database.connect();
    await other.query('begin');
    await other.query(
      `update cloudkitty_storage_states set last_processed_timestamp = '2026-03-01', version = version + 1`,
    );
    const running = imported([lineOf('2026-02-01T00:00:00Z')], '--apply', '--on-conflict', 'keep-latest');
    await waitsForLock(database, 'Import.lock');
    await other.query('commit');
    expect(await running).toMatchObject({ code: 0, numbers: { updated: 0, skipped: 1 } });
    expect(await stored()).toMatchObject([{ at: '2026-03-01 00:00:00' }]);
  });

  test('an import killed at its last statement has not happened', async () => {
    const other = await database.connect();
    await other.query('begin');
    await other.query(
      `insert into cloudkitty_storage_states (identifier, last_processed_timestamp) values ('z', '2026-03-01')`,
    );
    const path = await transfer.file(
      'kill.csv',
      `${header}\n${lineOf('2026-01-01T00:00:00Z')}\nz,,,,2026-03-01T00:00:00Z,,\n`,
    );
    const child = transfer.start(database, 'import', path, '--apply');
    await waitsForLock(database, 'Import.insert');
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
    await other.query('rollback');
    await until('the killed session is gone', async () => (await sessions()) === 0);
    expect(await stored()).toEqual([]);
  });
});

describe('a connection', () => {
  test('to the target that is cut half-way is one line, and nothing has happened', async () => {
    const { child, gone } = await startEndless();
    await until('rows are on their way', async () => (await sessions()) > 0);
    await database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like '%copy import_rows%' and pid <> pg_backend_pid()`,
    );
    const { code, err } = await gone;
    child.stdin.destroy();
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/^scopestate: [^\n]+\n$/) });
    expect(await stored()).toEqual([]);
  });

  test('SIGTERM half-way: one line, and nothing has happened', async () => {
    const { child, gone } = await startEndless();
    await until('rows are on their way', async () => (await sessions()) > 0);
    child.kill('SIGTERM');
    expect(await gone).toEqual({ code: 1, err: 'scopestate: stopped by SIGTERM; nothing was changed\n' });
    expect(await stored()).toEqual([]);
  });
});

test('a header that can not be taken ends it, whatever else could come', async () => {
  const { gone } = await startEndless('nothing,known\n');
  expect(await gone).toEqual({
    code: 1,
    err: expect.stringMatching(/^scopestate: standard input: [^\n]+\n$/),
  });
});

test('SIGTERM reaches it where nothing comes', async () => {
  const { child, gone } = await startEndless('');
  const connected = `select from pg_stat_activity where datname = current_database() and application_name = 'scopestate'`;
  await until('it has looked at the database', async () => (await database.query(connected)).length > 0);
  child.kill('SIGTERM');
  expect(await gone).toEqual({ code: 1, err: 'scopestate: stopped by SIGTERM; nothing was changed\n' });
});

const sessions = async () =>
  (
    await database.query(
      `select from pg_stat_activity where datname = current_database() and query like '/* Import%' and pid <> pg_backend_pid()`,
    )
  ).length;

/** An import whose standard input never ends. */
async function startEndless(begin = `${header}\n${lineOf('2026-01-01T00:00:00Z')}\n`) {
  const { spawn } = await import('node:child_process');
  const { text } = await import('node:stream/consumers');
  const child = spawn(
    process.execPath,
    [`${process.cwd()}/dist/main.js`, 'import', '-', '--format', 'csv', '--apply'],
    {
      cwd: transfer.folder,
      env: { DATABASE_URL: database.url },
    },
  );
  child.stdin.on('error', () => {});
  child.stdin.write(begin);
  const gone = Promise.all([text(child.stderr), once(child, 'close')]).then(([err]) => ({
    code: child.exitCode,
    err,
  }));
  child.stdout.resume();
  return { child, gone };
}

test('no file is made but where something is rejected', async () => {
  expect((await readdir(transfer.folder)).filter((name) => name.includes('rejects'))).toEqual([
    'in.csv.rejects.csv',
  ]);
});
