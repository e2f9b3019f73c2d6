import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';
import { setTimeout as delay } from 'node:timers/promises';

const readyMillis = 60_000;
const exitMillis = 10_000;

/** Starts a server; its output goes to a file, so that reading it costs nobody anything while measuring. */
export async function startServer({ name, file, environment, folder, portIn, args = [], nodeOptions = [] }) {
  const logFile = join(folder, `${name}.log`);
  const log = await open(logFile, 'w');
  const child = spawn(process.execPath, [...nodeOptions, file, ...args], {
    env: { PATH: process.env.PATH, NODE_ENV: 'production', TZ: 'UTC', ...environment },
    stdio: ['ignore', log.fd, log.fd],
    detached: true, // Ctrl-C reaches us alone, and we end it when its turn has come
  });
  await log.close();
  const server = { name, pid: child.pid, stop: () => stop(child) };
  const deadline = performance.now() + readyMillis;
  for (;;) {
    const output = await readFile(logFile, 'utf8');
    const port = portIn(output);
    if (port !== undefined) return { ...server, port };
    const hasEnded = child.exitCode !== null || child.signalCode !== null;
    if (hasEnded || performance.now() > deadline) {
      await stop(child);
      throw new Error(`the server ${name} did not start:\n${output.slice(-4000)}`);
    }
    await delay(50);
  }
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), exitMillis);
  await ended;
  clearTimeout(kill);
}
