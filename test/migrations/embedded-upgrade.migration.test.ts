import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../support/command.js';
import { connectAsOwner } from '../support/embedded-owner-client.js';
import { startServer, type TestServer } from '../support/test-server.js';
import { unit } from '../support/units.js';

let dataDir: string;
let settings: Record<string, string>;
let server: TestServer | undefined;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'scopestate-upgrade-'));
  settings = { SCOPESTATE_DATA_DIR: dataDir };
});

afterAll(async () => {
  await server?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

/** What the release before the tokens left out; the roles and their rights on the rest are there already. */
const withoutTokens = `
  drop table scopestate_tokens;
  drop index scopestate_states_of_collector, scopestate_states_inactive;
  alter table cloudkitty_storage_states drop column last_processed_day, reset (fillfactor);
  delete from scopestate_migrations where name in ('20261125000000_keep_tokens', '20261125000100_index_lists')`;

async function asOwner(statement: string): Promise<void> {
  const owner = await connectAsOwner(dataDir);
  await owner.query(statement);
  await owner.end();
}

const operations = {
  advance: `mutation ($unit: CollectionUnitInput!) {
    advanceScopeState(input: { unit: $unit, lastProcessedTimestamp: "2026-01-01T00:00:00Z" }) { outcome }
  }`,
  find: `query ($unit: CollectionUnitInput!) {
    scopeState(unit: $unit) { lastProcessedTimestamp changes(first: 2) { nodes { kind } } }
  }`,
};

test('a data folder of before the tokens is brought up to date by the next start, which takes tokens at once', async () => {
  const asked = unit();
  server = await startServer(settings);
  await server.data(operations.advance, { unit: asked });
  await asOwner(withoutTokens);
  expect(await server.stop()).toBe(0);

  server = await startServer({ ...settings, SCOPESTATE_AUTH: 'token' });
  const migrated = server.logLines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .find(({ event }) => event === 'migrated');
  expect(migrated).toMatchObject({ applied: ['20261125000000_keep_tokens', '20261125000100_index_lists'] });
  const { out } = await runCommand(['token', 'create', '--name', 'a test', '--role', 'collector'], {
    env: settings,
  });
  expect(await server.ask(operations.find, { unit: asked }, out.trim())).toEqual({
    data: {
      scopeState: {
        lastProcessedTimestamp: '2026-01-01T00:00:00Z',
        changes: { nodes: [{ kind: 'CREATED' }] },
      },
    },
  });
});
