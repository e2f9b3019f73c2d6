import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection, type Connection } from 'mysql2/promise';
import { freePort } from '../support/free-port.js';
import { until } from '../support/until.js';

const binary = '/usr/sbin/mariadbd';

/** Why the tests on a MariaDB do not run, and how they would. */
export function whyNoMariaDb(): string | undefined {
  if (!existsSync(binary)) return `${binary} is not there: apt-get install mariadb-server`;
  return process.env['TEST_SCALE'] === '1'
    ? undefined
    : 'only the full run has it: TEST_SCALE=1 (npm run test:full)';
}

/** A MariaDB of the test's own, in a temporary folder and on a free port: an ordinary process, no service. */
export class MariaDb {
  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly process: ChildProcess,
    readonly admin: Connection,
  ) {}

  static async start(): Promise<MariaDb> {
    const folder = mkdtempSync(join(tmpdir(), 'scopestate-mariadb-'));
    const user = process.getuid?.() === 0 ? ['--user=root'] : [];
    execFileSync(
      'mariadb-install-db',
      [
        '--no-defaults',
        `--datadir=${folder}/data`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
        ...user,
      ],
      { stdio: 'ignore' },
    );
    const port = await freePort();
    const socket = join(folder, 's');
    const words = [
      '--no-defaults',
      `--datadir=${folder}/data`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      `--socket=${socket}`,
      ...user,
    ];
    const child = spawn(binary, words, { stdio: 'ignore' });
    let admin: Connection | undefined;
    await until('MariaDB takes connections', async () => {
      admin = await createConnection({ socketPath: socket, user: 'root', multipleStatements: true }).catch(
        () => undefined,
      );
      return admin !== undefined;
    });
    return new MariaDb(port, folder, child, admin!);
  }

  async stop(): Promise<void> {
    await this.admin.end().catch(() => {});
    const gone = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    await gone;
    rmSync(this.folder, { recursive: true });
  }
}
