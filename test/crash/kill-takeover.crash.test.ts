import { afterEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { everything } from '../migrations/layout.js';
import { migrateUp, startCommand } from '../support/command.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { scaled } from '../support/units.js';
import { until } from '../support/until.js';

let database: TestDatabase;

afterEach(() => database.drop());

/** Neither rows nor layout in full: what tells before from after, and that no row was lost. */
async function summary() {
  const { catalog, sequences } = await everything(database);
  const [rows] = await database.query(
    `select count(*), sum(hashtextextended(identifier || id, 0)) as digest from cloudkitty_storage_states`,
  );
  return { catalog, sequences, rows };
}

async function newDatabase(): Promise<void> {
  database = await createTestDatabase({ dump: '750d3050cf71-legacy-rows.sql' });
  await database.query(
    `insert into cloudkitty_storage_states (id, identifier, last_processed_timestamp)
     select n, md5(n::text), '2019-01-01' from generate_series(1000, 1000 + $1::int) n`,
    [scaled(200_000)],
  );
}

function start(...words: string[]) {
  const child = startCommand(['migrate', 'up', ...words], { env: { DATABASE_URL: database.url } });
  return { child, closed: once(child, 'close') };
}

const steps = readdirSync('migrations').filter((name) => /^\d{14}_/.test(name)).length;

test('killed at any moment, a takeover is wholly done or not at all', async () => {
  await newDatabase();
  const before = await summary();
  const startedAt = performance.now();
  await start('--dry-run').closed;
  const millis = performance.now() - startedAt;
  expect(await summary()).toEqual(before);

  const seen: string[] = [];
  for (let round = 0; round < 10; round++) {
    const { child, closed } = start();
    // The last part, where the database is at work: before that a process of Node's only starts.
    await Promise.race([delay(millis * (0.3 + 0.07 * round + Math.random() * 0.07)), closed]);
    child.kill('SIGKILL');
    await closed;
    await until('its session has ended', async () => {
      const sessions = await database.query(
        `select from pg_stat_activity where datname = current_database() and application_name = 'scopestate'`,
      );
      return sessions.length === 0;
    });
    const now = await summary();
    const isBefore = JSON.stringify(now) === JSON.stringify(before);
    seen.push(isBefore ? 'before' : 'after');
    if (isBefore) continue;
    expect(now.rows).toEqual(before.rows);
    expect(await database.query(`select count(*)::int from scopestate_migrations`)).toEqual([
      { count: steps },
    ]);
    await database.drop();
    await newDatabase();
  }
  expect(seen).toContain('before');
  await migrateUp(database.url);
  expect((await summary()).rows).toEqual(before.rows);
}, 240_000);
