import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from '../support/free-port.js';
import { until } from '../support/until.js';

const binary = '/usr/sbin/pgbouncer';

/** Why the tests behind a PgBouncer do not run, and how they would. */
export function whyNoPgBouncer(): string | undefined {
  if (!existsSync(binary)) return `${binary} is not there: apt-get install pgbouncer`;
  return process.env['TEST_SCALE'] === '1'
    ? undefined
    : 'only the full run has it: TEST_SCALE=1 (npm run test:full)';
}

/** A PgBouncer of the test's own before one database, in transaction mode: an ordinary process, no service. */
export class PgBouncer {
  private constructor(
    readonly url: string,
    private readonly folder: string,
    private readonly process: ChildProcess,
  ) {}

  static async start(databaseUrl: string): Promise<PgBouncer> {
    const { hostname, port: databasePort, username, password, pathname } = new URL(databaseUrl);
    const folder = await mkdtemp(join(tmpdir(), 'scopestate-pgbouncer-'));
    await chmod(folder, 0o755);
    const port = await freePort();
    const settings = join(folder, 'pgbouncer.ini');
    await writeFile(
      settings,
      `[databases]
${pathname.slice(1)} = host=${hostname} port=${databasePort} user=${username} password='${decodeURIComponent(password)}'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 5
`,
    );
    await chmod(settings, 0o644);
    const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []; // it refuses to run as root
    const child = spawn(binary, ['-q', ...user, settings], { stdio: 'ignore' });
    const url = `postgres://${username}@127.0.0.1:${port}${pathname}`;
    await until('PgBouncer takes connections', async () => {
      const client = new pg.Client(url);
      client.on('error', () => undefined);
      const isThere = await client.connect().then(
        () => true,
        () => false,
      );
      await client.end().catch(() => undefined);
      return isThere;
    });
    return new PgBouncer(url, folder, child);
  }

  async stop(): Promise<void> {
    const gone = once(this.process, 'exit');
    this.process.kill('SIGINT');
    await gone;
    await rm(this.folder, { recursive: true });
  }
}
