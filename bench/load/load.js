import { fork } from 'node:child_process';
import { once } from 'node:events';

/** The load generator: a process of its own, so that measuring and being measured do not share a thread. */
export function startLoad() {
  const child = fork(new URL('generator.js', import.meta.url), {
    stdio: 'inherit',
    detached: true, // Ctrl-C reaches us alone; it ends when we do
  });
  const waiting = new Map();
  let last = 0;
  child.on('message', ({ id, result, error }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(result);
    else reject(new Error(error));
  });
  child.once('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('the load generator ended'));
    waiting.clear();
  });
  const call = (name, given) =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, { resolve, reject });
      child.send({ id: last, call: name, ...given }, (error) => error && reject(error));
    });
  return {
    add: (target) => call('add', target),
    open: (given) => call('open', given),
    close: (given) => call('close', given),
    run: (given) => call('run', given),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}
