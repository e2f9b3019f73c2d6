import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { join } from 'node:path';
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

// To wait for it would take minutes: this is what the driver has been told.
test('a connection that nobody needs stays for ten minutes, and is looked at meanwhile', () => {
  expect(opened.pool.options).toMatchObject({
    idleTimeoutMillis: 600_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
  });
});
