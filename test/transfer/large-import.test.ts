import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { TestDatabase } from '../support/test-database.js';
import { until } from '../support/until.js';
import { scaled } from '../support/units.js';
import { header, numbersIn, Transfer } from './transfer-command.js';

const rows = scaled(1_000_000, 20_000);
const mostKilobytes = 300 * 1024;
const leastRowsPerSecond = 20_000;

let transfer: Transfer;
let database: TestDatabase;

beforeAll(async () => {
  transfer = await Transfer.create();
  database = await transfer.database();
  await pipeline(Readable.from(lines()), createWriteStream(transfer.path('large.csv')));
});
afterAll(() => transfer.dispose());

function* lines(): Generator<string> {
  yield `${header}\n`;
  for (let number = 0; number < rows; number++) {
    const key = ((BigInt(number) * 2_654_435_761n) % 4_294_967_296n).toString(16).padStart(8, '0'); // in no order
    yield `${key}-0000-4000-8000-000000000000,project_id,gnocchi,keystone,2026-01-01T00:00:00.${String(number % 1_000_000).padStart(6, '0')}Z,true,2025-01-01T00:00:00Z\n`;
  }
}

const stored = async () =>
  (await database.query<{ count: number }>('select count(*)::int from cloudkitty_storage_states'))[0]!.count;

/** How far the import of another session is; its temporary table can't be seen from here. */
const bytesCopied = async () =>
  Number(
    (await database.query<{ bytes: string }>(`select bytes_processed as bytes from pg_stat_progress_copy`))[0]
      ?.bytes ?? 0,
  );

test('killed half-way, nothing has happened', async () => {
  const child = transfer.start(database, 'import', transfer.path('large.csv'), '--apply');
  await until('a part is copied', async () => (await bytesCopied()) > rows * 40);
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
  await until('its session is gone', async () => (await bytesCopied()) === 0);
  expect(await stored()).toBe(0);
});

/** Imports the file to its end, and watches how large the program gets. */
async function importFile() {
  const startedAt = performance.now();
  const child = transfer.start(database, 'import', transfer.path('large.csv'), '--apply');
  let peak = 0;
  const watch = setInterval(() => (peak = peakKilobytes(child.pid!) ?? peak), 50);
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  clearInterval(watch);
  const rate = rows / ((performance.now() - startedAt) / 1000);
  console.log(`${rows} rows: ${Math.round(rate)}/s, ${Math.round(peak / 1024)} MB at most`);
  expect(err).not.toContain('\r'); // plain lines where there is no terminal
  return { result: { code: child.exitCode, numbers: numbersIn(out) }, peak, rate };
}

test(`${rows} rows: fast, in bounded memory, and all of them`, async () => {
  const { result, peak, rate } = await importFile();
  expect(result).toMatchObject({ code: 0, numbers: { inserted: rows } });
  expect(await stored()).toBe(rows);
  expect(peak).toBeGreaterThan(0);
  expect(peak).toBeLessThan(mostKilobytes);
  if (process.env['TEST_SCALE'] === '1') expect(rate).toBeGreaterThan(leastRowsPerSecond);
}, 600_000);

test('in bounded memory also where others want the CPU, and a second time nothing is changed', async () => {
  const busy = cpus().map(() => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
  try {
    const { result, peak } = await importFile();
    expect(result).toMatchObject({ code: 0, numbers: { inserted: 0, unchanged: rows } });
    expect(peak).toBeLessThan(mostKilobytes);
  } finally {
    for (const child of busy) child.kill('SIGKILL');
  }
}, 600_000);

/** VmHWM; undefined when the process is gone. */
function peakKilobytes(pid: number): number | undefined {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) || undefined;
  } catch {
    return undefined;
  }
}
