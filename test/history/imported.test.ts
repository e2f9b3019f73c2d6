import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../support/command.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let database: TestDatabase;
let folder: string;

beforeEach(async () => {
  database = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'scopestate-imported-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
  await database.drop();
});

async function importStates(day: number, ...words: string[]): Promise<void> {
  const file = join(folder, 'states.csv');
  await writeFile(
    file,
    `scopeId,scopeKey,collector,fetcher,lastProcessedTimestamp\na,k,c,f,2026-01-0${day}T00:00:00Z\n`,
  );
  const { code, err } = await runCommand(['import', file, ...words], { env: { DATABASE_URL: database.url } });
  expect({ code, err }).toMatchObject({ code: 0 });
}

test('an import leaves an entry for each state that it makes or changes, and none for a dry run', async () => {
  await importStates(1);
  await importStates(1, '--apply');
  await importStates(1, '--apply');
  await importStates(2, '--apply', '--on-conflict', 'keep-latest');
  const entries = await database.query(
    `select kind, actor, old_version, version, last_processed_timestamp::text as at
     from scopestate_history order by sequence`,
  );
  expect(entries).toEqual([
    { kind: 'IMPORTED', actor: 'import', old_version: null, version: 1, at: '2026-01-01 00:00:00' },
    { kind: 'IMPORTED', actor: 'import', old_version: 1, version: 2, at: '2026-01-02 00:00:00' },
  ]);
});
