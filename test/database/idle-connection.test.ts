import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openDatabase, type Database } from '../../src/database/database.js';
import { createLog } from '../../src/log.js';
import { ScopeStateEntity } from '../../src/scope-state/scope-state.entity.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let created: TestDatabase;
let opened: Database;
beforeAll(async () => {
  created = await createTestDatabase({ empty: true });
  opened = await openDatabase({
    url: created.url,
    entities: [ScopeStateEntity],
    migrationsFolder: join(process.cwd(), 'dist/migrations'),
    log: createLog('silent'),
  });
});
afterAll(async () => {
  await opened.close();
  await created.drop();
});

async function session(): Promise<number> {
  const { rows } = await opened.pool.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]!.pid;
}

/** So long the driver keeps one unless told otherwise. */
const driversMillis = 10_000;

test('a connection that nobody needs for a while is still there', async () => {
  const first = await session();
  await delay(driversMillis + 1_000);
  expect(await session()).toBe(first);
});
