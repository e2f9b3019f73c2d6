// Jest's globalTeardown: stops what start-servers.js started; a failed test's database stays on disk.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

export default async function stopServers() {
  const { folder, servers } = globalThis.scopestateTest;
  await Promise.all(servers.map((server) => server.stop()));
  if (existsSync(join(folder, 'keep'))) {
    for (const { major, dataDir } of servers.filter(({ major }) => major === 18)) {
      console.log(
        `The databases of failed tests (PostgreSQL ${major}) are kept: SCOPESTATE_DATA_DIR=${dataDir} npm start`,
      );
    }
    return;
  }
  await rm(folder, { recursive: true, force: true });
}
