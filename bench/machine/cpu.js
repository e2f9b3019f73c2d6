// CPU time of processes, in microseconds, from /proc. The scheduler's own count (schedstat) is exact to the
// nanosecond; where a kernel has none, utime + stime of `stat`, in hundredths of a second.
import { readdirSync, readFileSync } from 'node:fs';

const mostLooks = 100;
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
  for (let look = 0; look < mostLooks; look += 1) {
    const children = childrenOf(pid);
    const ended = ticksOf(pid).ended;
    const living = children.map(cpuOrUndefined);
    // One that ended or came meanwhile would be counted nowhere, or twice.
    if (living.includes(undefined) || childrenOf(pid).join() !== children.join()) continue;
    return living.reduce((sum, cpu) => sum + cpu, cpuOf(pid) + ended);
  }
  throw new Error(`the processes of PostgreSQL (${pid}) come and go too fast to be counted`);
}

function cpuOrUndefined(pid) {
  try {
    return cpuOf(pid);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error;
    return undefined;
  }
}

export function residentBytes(pid) {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1];
  return Number(kilobytes) * 1024;
}

/** By each process's parent: the kernel's own list of children leaves some out while others end. */
function childrenOf(pid) {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return processes.filter((one) => fieldsOf(one)?.[1] === String(pid)).toSorted();
}

function ticksOf(pid) {
  const fields = fieldsOf(pid);
  if (!fields) throw Object.assign(new Error(`process ${pid} has ended`), { code: 'ESRCH' });
  const [utime, stime, cutime, cstime] = fields.slice(11, 15).map(Number);
  return { own: (utime + stime) * tickMicros, ended: (cutime + cstime) * tickMicros };
}

/** From the state on: state, parent, …; undefined if there is no such process any more. */
function fieldsOf(pid) {
  const text = read(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' '); // the name may hold spaces
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
