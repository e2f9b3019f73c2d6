import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { quickStart } from './command.js';

/** What GraphQL answered. */
export interface Answer<Data = Record<string, any>> {
  data?: Data | null;
  errors?: {
    message: string;
    path?: (string | number)[];
    extensions: { code: string; requestId: string; field?: string };
  }[];
}

export interface TestServer {
  readonly url: string;
  readonly process: ChildProcess;
  /** every line of its log so far */
  readonly logLines: string[];
  /** the whole answer, errors included */
  ask(query: string, variables?: Record<string, unknown>, token?: string): Promise<Answer>;
  /** the answer's data; throws when there is an error */
  data(query: string, variables?: Record<string, unknown>): Promise<any>;
  /** SIGTERM, and its exit code */
  stop(): Promise<number | null>;
  /** SIGKILL, and waits until it is gone */
  kill(): Promise<void>;
}

/** For `describe.each` of races: requests that arrive together share statements, or each has its own. */
export const gatheringModes = [
  { mode: 'with shared statements', gather: true },
  { mode: 'each with statements of its own', gather: false },
];

/** A real server process, as `scopestate serve` runs it, on a free port. Settings are its environment. */
export async function startServer(
  settings: Record<string, string>,
  { cwd, args = [], gather = true }: { cwd?: string; args?: string[]; gather?: boolean } = {},
): Promise<TestServer> {
  const program = gather ? ['dist/main.js', 'serve'] : ['test/support/serve-ungathered.js'];
  const { child, logLines, exited } = spawnServer(settings, cwd, [...program, ...args]);
  const url = await Promise.race([
    readyUrl(child, logLines),
    exited.then((code) => {
      throw new Error(`the server ended with ${code} before it was ready:\n${logLines.join('\n')}`);
    }),
  ]);
  const ask = async (
    query: string,
    variables: Record<string, unknown> = {},
    token?: string,
  ): Promise<Answer> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as Answer;
  };
  return {
    url,
    process: child,
    logLines,
    ask,
    data: async (query, variables) => {
      const { data, errors } = await ask(query, variables);
      if (errors) throw new Error(JSON.stringify(errors));
      return data;
    },
    stop: async () => {
      child.kill('SIGTERM');
      return exited;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Runs a server that is expected to end by itself; its exit code and what it said. */
export async function failingServer(
  settings: Record<string, string>,
  { cwd, args = [] }: { cwd?: string; args?: string[] } = {},
): Promise<{ code: number | null; lines: string[] }> {
  const { exited, logLines } = spawnServer(settings, cwd, ['dist/main.js', 'serve', ...args]);
  return { code: await exited, lines: logLines };
}

function spawnServer(settings: Record<string, string>, cwd = process.cwd(), [program, ...words]: string[]) {
  const child = spawn(process.execPath, [`${process.cwd()}/${program}`, ...words], {
    cwd,
    env: { PATH: process.env['PATH'], PORT: '0', ...quickStart, ...settings },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const logLines: string[] = [];
  const lines = createInterface({ input: child.stderr });
  lines.on('line', (line) => logLines.push(line));
  const exited = once(child, 'close').then(([code]) => code as number | null);
  return { child, logLines, exited };
}

async function readyUrl(child: ChildProcess, seen: string[]): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const look = (line: string) => {
    if (!line.includes('"event":"ready"')) return;
    resolve((JSON.parse(line) as { url: string }).url);
  };
  seen.forEach(look);
  createInterface({ input: child.stderr! }).on('line', look);
  return promise;
}
