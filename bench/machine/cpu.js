// CPU time of processes, in microseconds, from /proc. The scheduler's own count (schedstat) is exact to the
// nanosecond; where a kernel has none, utime + stime of `stat`, in hundredths of a second.
import { readdirSync, readFileSync } from 'node:fs';

const tickMicros = 10_000; // USER_HZ is 100 on every Linux that Node.js runs on

/** A process with all its threads. */
export function cpuOf(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const exact = threads.map((thread) => read(`/proc/${pid}/task/${thread}/schedstat`));
  if (exact.every((text) => text === undefined)) return ticksOf(pid).own;
  return exact.reduce((sum, text) => sum + (text === undefined ? 0 : Number(text.split(' ')[0]) / 1000), 0);
}

/**
 * The postmaster, all that it has started, and what those used that have ended: a parent that waits for its children
 * gets their time. So the sum only grows, whatever comes and goes.
 */
export function cpuOfPostgres(pid) {
  let sum = cpuOf(pid) + ticksOf(pid).ended;
  for (const child of childrenOf(pid)) {
    try {
      sum += cpuOf(child);
    } catch (error) {
      if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error; // ended just now
    }
  }
  return sum;
}

export function residentBytes(pid) {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1];
  return Number(kilobytes) * 1024;
}

function childrenOf(pid) {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
}

function ticksOf(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' '); // the name may hold spaces
  const [utime, stime, cutime, cstime] = fields.slice(11, 15).map(Number);
  return { own: (utime + stime) * tickMicros, ended: (cutime + cstime) * tickMicros };
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
