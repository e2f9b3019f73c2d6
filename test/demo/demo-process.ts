import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { quickStart } from '../support/command.js';

/** A demo as the command line runs it. */
export interface DemoProcess {
  readonly lines: string[];
  /** the first line that fits, of those to come only if it is to be the `next`; throws when there won't be one */
  line(wanted: RegExp, which?: { next: boolean }): Promise<RegExpExecArray>;
  /** its exit code, once it has ended */
  readonly ended: Promise<number | null>;
  /** as `head` does when it has seen enough */
  stopReading(): void;
  /** SIGTERM, and its exit code */
  stop(): Promise<number | null>;
}

/** Starts `scopestate demo` with these words; standard output and error are one list of lines. */
export function startDemo(words: string[]): DemoProcess {
  const child = spawn(process.execPath, ['dist/main.js', 'demo', ...words], {
    env: { PATH: process.env['PATH'], PORT: '0', LOG_LEVEL: 'info', ...quickStart },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const waiting = new Set<(line: string) => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      waiting.forEach((look) => look(line));
    });
  }
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    lines,
    ended,
    line: (wanted, { next } = { next: false }) => {
      const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
      const look = (line: string) => {
        const found = wanted.exec(line);
        if (found) resolve(found);
      };
      if (!next) lines.forEach(look);
      waiting.add(look);
      void ended.then((code) =>
        reject(new Error(`the demo ended with ${code} before ${String(wanted)}:\n${lines.join('\n')}`)),
      );
      return promise.finally(() => waiting.delete(look));
    },
    stopReading: () => child.stdout.destroy(),
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}
