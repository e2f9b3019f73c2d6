import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { readConfig, type Config } from '../config.js';
import { ScopestateError } from '../client/client.js';
import { runDemo, type DemoOptions } from '../demo/demo.js';
import { OperatorError, quoted } from '../fault.js';
import { createLog } from '../log.js';
import { escapeForPeople } from '../log-text.rules.js';
import { durationFromMicros, formatDuration, microsOfDuration, parseDuration } from '../time/duration.js';
import { stopSignal } from './stop-signal.js';

/** CloudKitty's usual one: how many periods a server elsewhere waits can't be seen from outside. */
const usualWaitPeriods = 2;

const shortestPeriod = parseDuration('PT1M');
const exitGraceMillis = 100;

const helpText = `
It refuses a database that holds states which are not the demo's, and goes on with those that are.

What --speed means: nobody can move the database's clock, so nothing becomes due sooner than the server's period says.
  with --serve  the server's own period is made n times as short: PT1H becomes PT1M at 60, and "three days behind"
                is 72 minutes. Filled at one speed, a database is best gone on with at the same speed.
  with --url    the server keeps its period; collectors only come by n times as often (every 2 s at the most), so
                backlogs melt faster.

What is to be seen: scopes of keystone/gnocchi, keystone/monasca and prometheus/prometheus, some under several units;
some new, inactive, or days behind; monasca's source fails so often that its states fall ever farther behind. Legacy
rows, which no API can make, come with --serve only; collectors take most of them over in their first ten rounds.`;

interface Options {
  serve?: true;
  url: string;
  tokenFile?: string;
  dataDir: string;
  scopes: number;
  seed: number;
  speed: number;
  intoExisting?: true;
}

type Cloud = Pick<DemoOptions, 'scopes' | 'seed' | 'speed' | 'intoExisting'>;

export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description(
      'Fill a database with a make-believe cloud, and let simulated collectors work on it until stopped.',
    )
    .addOption(
      new Option('--url <url>', 'of a running server')
        .argParser(httpUrl)
        .default('http://127.0.0.1:4000/graphql'),
    )
    .addOption(
      new Option(
        '--serve',
        'run a server as well, on an embedded database; DATABASE_URL is not used',
      ).conflicts('url'),
    )
    .option('--token-file <file>', 'with --url: holds a collector’s token, where the server wants one')
    .option('--data-dir <folder>', 'with --serve: the embedded database’s folder', '.scopestate-demo')
    .option('--scopes <n>', 'how many scopes', wholeNumber(1, 100_000), 2000)
    .option('--seed <n>', 'another number, another cloud', wholeNumber(0, 2 ** 31), 1)
    .option('--speed <n>', 'how many times as fast the cloud lives: see below', wholeNumber(1, 60), 1)
    .option('--into-existing', 'also where states are that are not the demo’s')
    .addHelpText('after', helpText)
    .action(async ({ serve, url, tokenFile, dataDir, scopes, seed, speed, intoExisting }: Options) => {
      const cloud = { scopes, seed, speed, intoExisting: intoExisting === true };
      const signal = AbortSignal.any([stopSignal(), readerLeaves()]);
      if (serve) await serveAndRun(resolve(dataDir), cloud, signal);
      else {
        const token = tokenFile === undefined ? undefined : await readToken(tokenFile);
        const elsewhere = { url, token, pool: undefined, waitPeriods: usualWaitPeriods };
        await run({ ...cloud, ...elsewhere, print, signal });
      }
      // As `serve` does: a session that was cut off may still be open.
      setTimeout(() => process.exit(), exitGraceMillis).unref();
    });
}

/** Aborted when nobody reads any more what is told: the server that was started has to be stopped. */
function readerLeaves(): AbortSignal {
  const controller = new AbortController();
  process.stdout.on('error', () => controller.abort());
  return controller.signal;
}

/** The server and the demo in one process, on an embedded database of its own. */
async function serveAndRun(dataDir: string, cloud: Cloud, stopping: AbortSignal): Promise<void> {
  const settings = readConfig();
  if (settings.auth !== 'none') {
    throw new OperatorError(
      `demo --serve: found SCOPESTATE_AUTH=${settings.auth}; allowed: none, for the demo's collectors have no token`,
    );
  }
  const config = { ...settings, databaseUrl: undefined, dataDir, period: sped(settings, cloud.speed) };
  const log = createLog(config.logLevel);
  const { startApp } = await import('../app.js');
  const app = await startApp(config, log);
  const failing = new AbortController();
  void app.failed.then((reason) => failing.abort(reason));
  try {
    const url = `${app.url}/graphql`;
    print(`scopestate listens on ${url}`);
    await run({
      ...cloud,
      url,
      token: undefined,
      pool: app.pool,
      waitPeriods: config.waitPeriods,
      print,
      signal: AbortSignal.any([stopping, failing.signal]),
    });
  } finally {
    await app.stop();
  }
  failing.signal.throwIfAborted();
}

/** In a file, so that it stands in no list of processes. */
async function readToken(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new OperatorError(`--token-file: found ${quoted(path)}, which can't be read (${code})`, {
      cause: error,
    });
  }
}

async function run(options: DemoOptions): Promise<void> {
  try {
    await runDemo(options);
    print('stopped');
  } catch (error) {
    if (error instanceof ScopestateError)
      throw new OperatorError(messageOf(error, options.url), { cause: error });
    throw error;
  }
}

function messageOf({ code, message }: ScopestateError, url: string): string {
  if (code !== 'NO_ANSWER' && code !== 'TIMEOUT') return message;
  return `${url} gives no answer; start a server there (npm start), or say where one is: --url`;
}

function sped({ period }: Config, speed: number): Temporal.Duration {
  const micros = microsOfDuration(period) / BigInt(speed);
  if (micros >= microsOfDuration(shortestPeriod)) return durationFromMicros(micros);
  throw new OperatorError(
    `--speed: found ${speed}; allowed: what leaves a period of ${formatDuration(period)} no shorter than ${formatDuration(shortestPeriod)}`,
  );
}

function httpUrl(text: string): string {
  if (/^https?:$/.test(URL.parse(text)?.protocol ?? '')) return text;
  throw new InvalidArgumentError('Allowed: http:// or https://, and where the server answers.');
}

function wholeNumber(least: number, most: number) {
  return (text: string): number => {
    const number = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
    if (number >= least && number <= most) return number;
    throw new InvalidArgumentError(`Allowed: a whole number from ${least} to ${most}.`);
  };
}

function print(line: string): void {
  process.stdout.write(`${escapeForPeople(line)}\n`); // a server's address may hold a password
}
