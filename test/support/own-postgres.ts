import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/database/embedded/embedded-postgres.js';
import { platformBinaries } from '../../src/database/embedded/postgres-binaries.js';
import { chooseRunAs, type RunAs } from '../../src/database/embedded/run-as.js';
import { createLog } from '../../src/log.js';
import { migrateUp } from './command.js';
import { freePort } from './free-port.js';
import { until } from './until.js';

const run = promisify(execFile);
const log = createLog('error');

/** A PostgreSQL of the test's own, always on the same port, whose process the test may treat as it likes. */
export class OwnPostgres {
  readonly url: string;
  private readonly folder: string;
  private readonly runAs: RunAs;
  private readonly port: number;
  private postmaster: ChildProcess | undefined;
  private readonly settings: readonly string[];
  private mounted = false;

  private constructor(folder: string, runAs: RunAs, port: number, url: string, settings: readonly string[]) {
    this.folder = folder;
    this.runAs = runAs;
    this.port = port;
    this.url = url;
    this.settings = settings;
  }

  /** Made as an embedded one is, migrated, and started. `megabytes`: on a file system of that size; for root only. */
  static async create({
    megabytes,
    settings = [],
  }: { megabytes?: number; settings?: string[] } = {}): Promise<OwnPostgres> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'scopestate-faults-')));
    const dataDir = join(folder, 'data');
    await mkdir(dataDir);
    if (megabytes !== undefined) {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'scopestate-test', dataDir]);
    }
    const embedded = await startEmbeddedPostgres({ dataDir, log });
    await embedded.stop();
    const port = await freePort();
    const url = new URL(embedded.url);
    url.port = String(port);
    const own = new OwnPostgres(
      folder,
      await chooseRunAs(await platformBinaries(), log),
      port,
      url.href,
      settings,
    );
    own.mounted = megabytes !== undefined;
    await own.start();
    await migrateUp(own.url);
    return own;
  }

  /** where a file takes its space away */
  get dataDir(): string {
    return join(this.folder, 'data');
  }

  /** Resolves when it takes connections. */
  async start(): Promise<void> {
    const { prefix, binaries, become } = this.runAs;
    const pgdata = await realpath(join(this.dataDir, 'postgres'));
    const settings = [
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'logging_collector=off',
      ...this.settings,
    ];
    const [file = '', ...args] = [
      ...prefix,
      binaries.postgres,
      ...['-D', pgdata, '-p', String(this.port)],
      ...settings.flatMap((setting) => ['-c', setting]),
    ];
    this.postmaster = spawn(file, args, { cwd: '/', stdio: 'ignore', ...become });
    await until('PostgreSQL takes connections', () => this.query('select 1').then(Boolean, () => false));
  }

  /** SIGINT: fast shutdown, sessions are ended · SIGQUIT: at once, as after a crash · SIGKILL */
  async stop(signal: NodeJS.Signals): Promise<void> {
    const { postmaster } = this;
    if (!postmaster) return;
    this.postmaster = undefined;
    const gone = once(postmaster, 'exit');
    const backends = await childrenOf(postmaster.pid!);
    postmaster.kill(signal);
    await gone;
    // The backends of a killed postmaster see its end by themselves; a new one refuses to start until they have.
    await until('the backends end', async () =>
      (await Promise.all(backends.map(isRunning))).every((is) => !is),
    );
  }

  /** SIGSTOP or SIGCONT to the postmaster and all its backends: connections stay open, and nobody answers. */
  async signalAll(signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    const pid = this.postmaster!.pid!;
    process.kill(pid, signal); // first: it can't fork any more
    for (const backend of await childrenOf(pid)) signalIfRunning(backend, signal);
  }

  /** A connection that may write, whatever the database's default is. */
  async connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.url,
      options: '-c default_transaction_read_only=off',
      connectionTimeoutMillis: 5_000,
    });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  async query<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    const client = await this.connect();
    try {
      return (await client.query<Row>(text, values)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async remove(): Promise<void> {
    if (this.postmaster) await this.signalAll('SIGCONT');
    await this.stop('SIGQUIT');
    if (this.mounted) await run('umount', [this.dataDir]);
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A postmaster's backends and auxiliary processes. */
export async function childrenOf(pid: number): Promise<number[]> {
  const pids = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return pids.split(' ').filter(Boolean).map(Number);
}

/** A backend ends by itself when its client is gone. */
function signalIfRunning(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function isRunning(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return status !== '' && !status.slice(status.lastIndexOf(')')).startsWith(') Z');
}
