import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import type { EmbeddedPostgres } from '../../src/database/embedded/embedded-postgres.js';
import { until } from '../support/until.js';

/** What the tests of one file leave behind unless `cleanUp` ends and removes it: processes by pid, folders by path. */
const folders = new Set<string>();
const owners = new Set<OwnerProcess>();
const running = new Set<EmbeddedPostgres>();
const otherPids = new Set<number>();

export interface OwnerAnswer {
  url?: string;
  port?: number;
  name?: string;
  message?: string;
}

/** A server in a process of its own; see embedded-owner.js. */
export interface OwnerProcess {
  child: ChildProcess;
  answer: Promise<OwnerAnswer>;
  log(): string;
  kill(signal: NodeJS.Signals): Promise<void>;
}

export async function newDataDir(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'scopestate-embedded-')));
  folders.add(folder);
  return join(folder, 'data');
}

export function removeLater(folder: string): void {
  folders.add(folder);
}

export function killLater(pid: number): void {
  otherPids.add(pid);
}

export function track(database: EmbeddedPostgres): EmbeddedPostgres {
  running.add(database);
  return database;
}

const ownerProgram = fileURLToPath(new URL('embedded-owner.js', import.meta.url));

export function startOwner(
  args: string[],
  options: { uid?: number; gid?: number; env?: NodeJS.ProcessEnv } = {},
): OwnerProcess {
  const child = spawn(process.execPath, [ownerProgram, ...args], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  const exited = once(child, 'exit');
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const owner: OwnerProcess = {
    child,
    answer: (async () => {
      for await (const line of createInterface({ input: child.stdout }))
        return JSON.parse(line) as OwnerAnswer;
      throw new Error(`the owner process said nothing: ${log}`);
    })(),
    log: () => log,
    async kill(signal) {
      child.kill(signal);
      await exited;
    },
  };
  owner.answer.catch(() => undefined);
  owners.add(owner);
  return owner;
}

export async function query<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

export async function postmasterPid(dataDir: string): Promise<number> {
  return Number((await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);
}

/** The state letter of a process in /proc, undefined when there is none. */
export async function processState(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text.slice(text.lastIndexOf(')') + 2)[0];
}

/** Ends and removes what the test started and made. */
export async function cleanUp(): Promise<void> {
  for (const owner of owners) {
    if (owner.child.exitCode === null && owner.child.signalCode === null) await owner.kill('SIGKILL');
  }
  for (const database of running) await database.stop();
  for (const pid of otherPids) tryKill(pid, 'SIGKILL');
  for (const folder of folders) {
    for (const dataDir of [folder, join(folder, 'data')]) await endPostmaster(dataDir);
    const pgdata = await realpath(join(folder, 'data', 'postgres')).catch(() => '');
    const outside = /^\/var\/lib\/scopestate\/\w{12}(?=\/postgres$)/.exec(pgdata)?.[0];
    if (outside !== undefined) await rm(outside, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }
  for (const set of [owners, running, otherPids, folders]) set.clear();
}

/** A postmaster that a killed owner left: only one whose working folder is the test's own is ended. */
async function endPostmaster(dataDir: string): Promise<void> {
  const pid = await postmasterPid(dataDir).catch(() => undefined);
  if (pid === undefined) return;
  const isOurs = async () => {
    const [folder, cwd] = await Promise.all([
      stat(join(dataDir, 'postgres')).catch(() => undefined),
      stat(`/proc/${pid}/cwd`).catch(() => undefined),
    ]);
    return folder !== undefined && folder.ino === cwd?.ino && (await processState(pid)) !== 'Z';
  };
  if (!(await isOurs())) return;
  tryKill(pid, 'SIGCONT');
  tryKill(pid, 'SIGINT');
  await until(`postmaster ${pid} ends`, async () => !(await isOurs()));
}

function tryKill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has gone already
  }
}
