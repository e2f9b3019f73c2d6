import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import { databaseUrlFault } from './database-url.js';
import { readDotEnv } from './dot-env.js';
import { SettingsError } from './fault.js';
import { limitSettings, limitsOf, type Limits } from './limit-settings.js';
import { logLevels, type LogLevel } from './log.js';
import { about, count, duration, secret, setting, wholeNumber, type About } from './setting.js';

export type { Limits };

export interface Config {
  host: string;
  /** 0: any free one. */
  port: number;
  /** How callers say who they are; `none`: whoever sends no token may do everything. */
  auth: 'none' | 'token';
  /** Undefined: the embedded PostgreSQL. Always `postgresql://` or `postgres://`, otherwise as it was given. */
  databaseUrl: string | undefined;
  /** Absolute. */
  dataDir: string;
  /** The collection period of DESIGN.md 2.6. */
  period: Temporal.Duration;
  waitPeriods: number;
  /** Older entries of the history are pruned. */
  historyRetention: Temporal.Duration;
  limits: Limits;
  /** Origins whose pages may call from a browser; this server's own may anyway. */
  corsOrigins: readonly string[];
  /** Callers who have not said who they are learn nothing of the schema. */
  isProduction: boolean;
  logLevel: LogLevel;
}

type Environment = Record<string, string | undefined>;

const ways = ['none', 'token'] as const;

const schema = z.object({
  HOST: setting(
    {
      default: '127.0.0.1',
      description: 'The address to listen on; 0.0.0.0 or :: for all.',
      allowed: 'an IP address or a host name',
    },
    (text) => (isHost(text) ? text : undefined),
  ),
  PORT: setting(
    {
      default: '4000',
      description: 'The TCP port to listen on; 0 for any free one.',
      allowed: 'a whole number from 0 to 65535',
    },
    (text) => wholeNumber(text, 65_535),
  ),
  SCOPESTATE_AUTH: setting(
    {
      default: 'none',
      description: 'Whether callers need a token; none: whoever sends none may do everything.',
      allowed: ways.join(', '),
    },
    (text) => ways.find((way) => way === text),
  ),
  DATABASE_URL: secret(
    {
      description: 'A PostgreSQL server of yours; not set: the embedded one.',
      allowed:
        'postgresql://user:password@host:5432/database, or ?host=/folder-of-the-socket for the host ' +
        '(postgres:// and postgresql+psycopg2:// too; a special character percent-encoded, %40 for @)',
    },
    databaseUrlFault,
  ),
  SCOPESTATE_DATA_DIR: setting(
    {
      default: '.scopestate',
      description: 'The folder of the embedded PostgreSQL, from the working folder unless absolute.',
      allowed: 'the path of a folder',
    },
    (text) => (text.trim() === '' ? undefined : resolve(text)),
  ),
  SCOPESTATE_PERIOD: duration(
    'The collection period: how much time one rating step covers.',
    'PT1M',
    'P31D',
    'PT1H',
  ),
  SCOPESTATE_WAIT_PERIODS: count(
    'How many periods to wait after the end of a period until it is due.',
    0,
    1000,
    2,
  ),
  SCOPESTATE_HISTORY_RETENTION: duration(
    'How long the history keeps what was changed, at least.',
    'P1D',
    'P36500D',
    'P400D',
  ),
  ...limitSettings,
  NODE_ENV: setting(
    {
      default: '',
      description:
        'production: callers who have not said who they are learn nothing of the schema, by introspection or by suggestions.',
      allowed: 'any text; only production means something',
    },
    (text) => text,
  ),
  LOG_LEVEL: setting(
    {
      default: 'info',
      description: 'The least severe log line that is written.',
      allowed: logLevels.join(', '),
    },
    (text) => logLevels.find((level) => level === text),
  ),
});

const ours = 'SCOPESTATE_';
const fileRule = 'the path of a readable file that is not empty';

/** Every variable that is read, for the check of `.env.example`. A secret's `_FILE` stands behind it. */
export const settings: readonly ({ name: string } & About)[] = Object.entries(schema.shape).flatMap(
  ([name, field]) => {
    const info = about.get(field);
    if (!info) throw new Error(`${name} is not registered`);
    const file = {
      name: fileOf(name),
      description: `The path of a file that holds ${name}; one line break at its end is cut.`,
      allowed: fileRule,
      default: '',
      secret: false,
    };
    return [{ name, ...info }, ...(info.secret ? [file] : [])];
  },
);

/**
 * Reads all settings, of the environment and of a file `.env`; an empty text counts as not set. Throws one `SettingsError` with a line for each fault: the
 * variable, what was found, what is allowed.
 */
export function readConfig(environment: Environment = { ...readDotEnv(), ...process.env }): Config {
  const faults: string[] = [];
  const given: Environment = {};
  const sourceOf = new Map<string, string>();
  for (const [name, field] of Object.entries(schema.shape)) {
    const path = about.get(field)?.secret ? textOf(environment, fileOf(name)) : undefined;
    given[name] = textOf(environment, name);
    if (path === undefined) continue;
    if (given[name] === undefined) {
      sourceOf.set(name, `${fileOf(name)} (${JSON.stringify(path)})`);
      given[name] = readSecretFile(fileOf(name), path, faults);
    } else {
      faults.push(`${fileOf(name)}: found both ${name} and ${fileOf(name)}; allowed: one of the two`);
      delete given[name];
    }
  }
  const result = schema.safeParse(given);
  for (const { path, message } of result.error?.issues ?? []) {
    const name = String(path[0]);
    faults.push(`${sourceOf.get(name) ?? name}: ${message}`);
  }
  faults.push(...unknownSettings(environment));
  if (!result.success || faults.length > 0) throw new SettingsError(faults);

  const { data } = result;
  return {
    host: data.HOST,
    port: data.PORT,
    auth: data.SCOPESTATE_AUTH,
    databaseUrl: data.DATABASE_URL?.replace(/^postgresql\+psycopg2:/i, 'postgresql:'),
    dataDir: data.SCOPESTATE_DATA_DIR,
    period: data.SCOPESTATE_PERIOD,
    waitPeriods: data.SCOPESTATE_WAIT_PERIODS,
    historyRetention: data.SCOPESTATE_HISTORY_RETENTION,
    limits: limitsOf(data),
    corsOrigins: data.SCOPESTATE_CORS_ORIGINS,
    isProduction: data.NODE_ENV === 'production',
    logLevel: data.LOG_LEVEL,
  };
}

function fileOf(name: string): string {
  return `${name}_FILE`;
}

function textOf(environment: Environment, name: string): string | undefined {
  return environment[name] === '' ? undefined : environment[name];
}

function readSecretFile(name: string, path: string, faults: string[]): string | undefined {
  try {
    const text = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    if (text !== '') return text;
    faults.push(`${name}: found ${JSON.stringify(path)}, which is empty; allowed: ${fileRule}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    faults.push(
      `${name}: found ${JSON.stringify(path)}, which can't be read (${code}); allowed: ${fileRule}`,
    );
  }
  return undefined;
}

/** A misspelt setting must not pass silently. Its value may be a secret and is not shown. */
function unknownSettings(environment: Environment): string[] {
  const known = settings.map(({ name }) => name);
  return Object.keys(environment)
    .filter((name) => name.startsWith(ours) && !known.includes(name))
    .filter((name) => textOf(environment, name) !== undefined && !isServiceLink(name, environment[name]))
    .sort()
    .map((name) => {
      const withoutPrefix = known.find((candidate) => `${ours}${candidate}` === name);
      const nearest = withoutPrefix ?? known.find((k) => k.startsWith(ours) && editDistance(k, name) <= 3);
      const hint = nearest === undefined ? '' : ` (did you mean ${nearest}?)`;
      const allowed = known.filter((k) => k.startsWith(ours)).join(', ');
      return `${name}: found a variable that is not known${hint}; allowed: ${allowed}`;
    });
}

/** Kubernetes sets these in every container beside a Service that is named `scopestate` or `scopestate-…`. */
function isServiceLink(name: string, value = ''): boolean {
  return (
    /_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name) ||
    (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value))
  );
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

function isHost(text: string): boolean {
  const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
  const name = new RegExp(`^(?:${label}\\.)*(?!\\d+$)${label}$`, 'i');
  return isIP(text) !== 0 || (text.length <= 253 && name.test(text));
}
