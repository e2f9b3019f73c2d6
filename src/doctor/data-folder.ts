import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findCluster } from '../database/embedded/cluster-place.js';
import { connect, urlOf, type Login } from '../database/embedded/connect-when-ready.js';
import { startEmbeddedPostgres } from '../database/embedded/embedded-postgres.js';
import { readPassword } from '../database/embedded/password-file.js';
import { readPidFile } from '../database/embedded/pid-file.js';
import { findPostmaster } from '../database/embedded/running-postmaster.js';
import { OperatorError } from '../fault.js';
import { createLog } from '../log.js';
import { notReached } from './connection-advice.js';
import { note, well, wrong, type Finding } from './finding.js';

export interface OpenFolder {
  findings: Finding[];
  /** of the database in it, when that can be asked */
  url?: string;
  /** Stops what was started for the examination. */
  readonly close: () => Promise<void>;
}

const subject = 'data folder';
const nothingToClose = () => Promise.resolve();

/**
 * Looks at the folder of the embedded PostgreSQL, and gets at the database in it: through the server that runs it, or by
 * starting it for as long as the examination lasts. Makes no folder.
 */
export async function openDataFolder(dataDir: string): Promise<OpenFolder> {
  const findings: Finding[] = [];
  try {
    findings.push(await examineFolder(dataDir));
    if (findings[0]?.level !== 'well') return { findings, close: nothingToClose };
    const pgdata = await findCluster(dataDir);
    if (pgdata === undefined) {
      findings.push(note('database', `none in ${dataDir} yet; the first start makes it`));
      return { findings, close: nothingToClose };
    }
    findings.push(...(await examinePassword(dataDir)));
    const { postmaster, stalePidFile } = await findPostmaster(pgdata);
    if (!postmaster) return await startForNow(dataDir, stalePidFile !== undefined, findings);
    const login = {
      port: (await readPidFile(pgdata))?.port ?? 0,
      password: await readPassword(dataDir, pgdata),
    };
    const owner = await examineOwner(login, postmaster.pid);
    findings.push(owner);
    return {
      findings,
      ...(owner.level !== 'wrong' && { url: urlOf(login, 'scopestate') }),
      close: nothingToClose,
    };
  } catch (error) {
    findings.push(wrong(subject, messageOf(error), 'mend that, or set SCOPESTATE_DATA_DIR or DATABASE_URL'));
    return { findings, close: nothingToClose };
  }
}

async function examineFolder(dataDir: string): Promise<Finding> {
  const found = await stat(dataDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (found === undefined) {
    const above = await nearestFolder(dirname(dataDir));
    return (await may(above, constants.W_OK | constants.X_OK))
      ? note(subject, `${dataDir} is not there yet; the first start makes it`)
      : wrong(subject, `${dataDir} is not there, and you may not write to ${above}`, whoMay(above));
  }
  if (!found.isDirectory()) {
    return wrong(subject, `${dataDir} is not a folder`, 'move it away, or set SCOPESTATE_DATA_DIR');
  }
  if (!(await may(dataDir, constants.R_OK | constants.W_OK | constants.X_OK))) {
    return wrong(
      subject,
      `you may not read and write ${dataDir} (uid ${found.uid} owns it)`,
      whoMay(dataDir),
    );
  }
  return well(subject, `${dataDir} is there, and you may write to it`);
}

async function examinePassword(dataDir: string): Promise<Finding[]> {
  const path = join(dataDir, 'postgres.password');
  const found = await stat(path).catch(() => undefined); // that it is missing is said when it is read
  if (found === undefined || (found.mode & 0o077) === 0) return [];
  return [wrong('password', `others on this machine may read ${path}`, `chmod 600 ${path}`)];
}

/** Nobody runs it: starting it is what the next server would do, too. */
async function startForNow(dataDir: string, wasKilled: boolean, findings: Finding[]): Promise<OpenFolder> {
  if (wasKilled) {
    findings.push(note('owner', 'the last server did not shut its database down; the start recovers it'));
  }
  const embedded = await startEmbeddedPostgres({ dataDir, log: createLog('silent') });
  findings.push(well('owner', 'no server runs on the data folder; its database was started to look at it'));
  return { findings, url: embedded.url, close: () => embedded.stop() };
}

async function examineOwner(login: Login, pid: number): Promise<Finding> {
  const client = await connect(login, 'postgres').catch(notReached);
  if ('level' in client) return client;
  try {
    const { rows } = await client.query<{ application_name: string }>(
      `/* examineOwner */ select application_name from pg_stat_activity
       where datname = 'postgres' and pid <> pg_backend_pid() and application_name like 'scopestate server, %'`,
    );
    const [owner] = rows;
    return owner
      ? well('owner', `a server runs on the data folder (${owner.application_name.split(', ')[1]})`)
      : note(
          'owner',
          `its PostgreSQL (process ${pid}) was left running by a server that was killed; the next start takes it over`,
        );
  } finally {
    await client.end();
  }
}

async function nearestFolder(path: string): Promise<string> {
  for (let above = path; ; above = dirname(above)) {
    if ((await stat(above).catch(() => undefined)) || above === dirname(above)) return above;
  }
}

function may(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

function whoMay(folder: string): string {
  return `run scopestate as a user that may, or change the rights of ${folder} (chown, chmod), or set SCOPESTATE_DATA_DIR`;
}

function messageOf(error: unknown): string {
  if (error instanceof OperatorError) return error.message;
  return error instanceof Error ? error.message : String(error);
}
