import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';

/**
 * Whether a process is a live postmaster *of this data folder*. A pid alone says little: a killed postmaster that
 * nobody has reaped still answers signals, and after a container's restart its number belongs to another program.
 */
export async function isPostmaster(pid: number, pgdata: string): Promise<boolean> {
  return process.platform === 'linux' ? isPostmasterByProc(pid, pgdata) : isPostmasterByPs(pid, pgdata);
}

/** For when the pid file tells nothing: looks through all processes. */
export async function findPostmasterProcess(pgdata: string): Promise<number | undefined> {
  for (const pid of await allPids()) {
    if (await isPostmaster(pid, pgdata)) return pid;
  }
  return undefined;
}

async function isPostmasterByProc(pid: number, pgdata: string): Promise<boolean> {
  const [status, commandLine, folder] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined),
    readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
    stat(pgdata).catch(() => undefined),
  ]);
  if (status === undefined || folder === undefined) return false;
  const name = status.slice(status.indexOf('(') + 1, status.lastIndexOf(')'));
  const state = status.slice(status.lastIndexOf(')') + 2)[0];
  if (name !== 'postgres' || state === 'Z' || state === 'X') return false;

  const args = commandLine.split('\0');
  if (args[0]?.startsWith('postgres: ')) return false; // a child: it names itself so, and shares the folder
  // A folder is compared by its inode: a path can lead there in two ways, or have been renamed.
  const isFolder = async (path: string) => {
    const found = await stat(path);
    return found.ino === folder.ino && found.dev === folder.dev;
  };
  try {
    return await isFolder(`/proc/${pid}/cwd`); // a postmaster works in its data folder
  } catch {
    // Not readable for root in a container (no CAP_SYS_PTRACE) when the postmaster runs as another user.
    const dataOption = args[args.indexOf('-D') + 1];
    return args.includes('-D') && dataOption !== undefined && isFolder(dataOption).catch(() => false);
  }
}

async function isPostmasterByPs(pid: number, pgdata: string): Promise<boolean> {
  const { stdout } = await promisify(execFile)('ps', [
    '-ww',
    '-o',
    'stat=,command=',
    '-p',
    String(pid),
  ]).catch(
    () => ({ stdout: '' }), // ps fails when there is no such process
  );
  const [, state = 'Z', command = ''] = /^\s*(\S+)\s+(.*)/.exec(stdout) ?? [];
  return !state.startsWith('Z') && command.includes('postgres ') && `${command} `.includes(` -D ${pgdata} `);
}

async function allPids(): Promise<number[]> {
  if (process.platform === 'linux') {
    return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  }
  const { stdout } = await promisify(execFile)('ps', ['-ax', '-o', 'pid=,command=']);
  return stdout
    .split('\n')
    .filter((line) => line.includes('postgres '))
    .map((line) => Number.parseInt(line, 10));
}
