import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { readConfig, settings } from '../src/config.js';
import { OperatorError } from '../src/fault.js';

const folder = mkdtempSync(join(tmpdir(), 'scopestate-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function faultsOf(environment: Record<string, string>): string[] {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof OperatorError) return error.message.split('\n');
    throw error;
  }
  return [];
}

const standardLimits = {
  bodyBytes: 4 * 1024 * 1024,
  tokens: 2_000,
  depth: 20,
  aliases: 100,
  directives: 50,
  fields: 2_000,
  cost: 200_000,
  deadlineMillis: 120_000,
  headersMillis: 10_000,
  bodyMillis: 30_000,
  keepAliveMillis: 72_000,
  answerMillis: 60_000,
  unreadBytes: 256_000_000,
  unfinishedBytes: 256_000_000,
  connections: 10_000,
  subscriptions: 10_000,
  subscriptionsPerCaller: 5_000,
  subscriptionBytes: 256_000_000,
  requestsPerSecond: 5_000,
  burst: 10_000,
};

describe('what is not set', () => {
  test('has its default', () => {
    const { period, historyRetention, limits, ...rest } = readConfig({});
    expect(rest).toEqual({
      host: '127.0.0.1',
      port: 4000,
      auth: 'none',
      databaseUrl: undefined,
      dataDir: resolve('.scopestate'),
      waitPeriods: 2,
      corsOrigins: [],
      isProduction: false,
      logLevel: 'info',
    });
    expect(limits).toEqual(standardLimits);
    expect(period.toString()).toBe('PT1H');
    expect(historyRetention.toString()).toBe('P400D');
  });

  test('may also be set to an empty text', () => {
    const empty = Object.fromEntries(settings.map(({ name }) => [name, '']));
    expect(readConfig({ ...empty, SCOPESTATE_PERID: '' })).toEqual(readConfig({}));
  });

  test('other programs’ variables are left alone', () => {
    expect(faultsOf({ PATH: '/bin', PORTS: 'x', MY_SCOPESTATE_PERIOD: 'x' })).toEqual([]);
  });
});

test('the list of settings has each variable with its default and its secrets', () => {
  expect(settings.map((s) => [s.name, s.default, s.secret])).toEqual([
    ['HOST', '127.0.0.1', false],
    ['PORT', '4000', false],
    ['SCOPESTATE_AUTH', 'none', false],
    ['DATABASE_URL', '', true],
    ['DATABASE_URL_FILE', '', false],
    ['SCOPESTATE_DATA_DIR', '.scopestate', false],
    ['SCOPESTATE_PERIOD', 'PT1H', false],
    ['SCOPESTATE_WAIT_PERIODS', '2', false],
    ['SCOPESTATE_HISTORY_RETENTION', 'P400D', false],
    ['SCOPESTATE_MAX_BODY_BYTES', '4194304', false],
    ['SCOPESTATE_MAX_TOKENS', '2000', false],
    ['SCOPESTATE_MAX_DEPTH', '20', false],
    ['SCOPESTATE_MAX_ALIASES', '100', false],
    ['SCOPESTATE_MAX_DIRECTIVES', '50', false],
    ['SCOPESTATE_MAX_FIELDS', '2000', false],
    ['SCOPESTATE_MAX_COST', '200000', false],
    ['SCOPESTATE_REQUEST_DEADLINE', 'PT2M', false],
    ['SCOPESTATE_HEADERS_TIMEOUT', 'PT10S', false],
    ['SCOPESTATE_BODY_TIMEOUT', 'PT30S', false],
    ['SCOPESTATE_KEEP_ALIVE', 'PT72S', false],
    ['SCOPESTATE_ANSWER_TIMEOUT', 'PT1M', false],
    ['SCOPESTATE_MAX_UNREAD_BYTES', '256000000', false],
    ['SCOPESTATE_MAX_UNFINISHED_BYTES', '256000000', false],
    ['SCOPESTATE_MAX_CONNECTIONS', '10000', false],
    ['SCOPESTATE_MAX_SUBSCRIPTIONS', '10000', false],
    ['SCOPESTATE_MAX_SUBSCRIPTIONS_PER_CALLER', '5000', false],
    ['SCOPESTATE_MAX_SUBSCRIPTION_BYTES', '256000000', false],
    ['SCOPESTATE_RATE', '5000', false],
    ['SCOPESTATE_RATE_BURST', '10000', false],
    ['SCOPESTATE_CORS_ORIGINS', '', false],
    ['NODE_ENV', '', false],
    ['LOG_LEVEL', 'info', false],
  ]);
});

describe('a setting is taken', () => {
  test.each([
    ['HOST', '0.0.0.0', 'host', '0.0.0.0'],
    ['HOST', '::', 'host', '::'],
    ['HOST', 'localhost', 'host', 'localhost'],
    ['HOST', 'rating-1.example.org', 'host', 'rating-1.example.org'],
    ['PORT', '0', 'port', 0],
    ['PORT', '65535', 'port', 65535],
    ['SCOPESTATE_AUTH', 'none', 'auth', 'none'],
    ['SCOPESTATE_AUTH', 'token', 'auth', 'token'],
    ['SCOPESTATE_DATA_DIR', '/var/lib/scopestate', 'dataDir', '/var/lib/scopestate'],
    ['SCOPESTATE_DATA_DIR', 'data/../state', 'dataDir', resolve('state')],
    ['SCOPESTATE_WAIT_PERIODS', '0', 'waitPeriods', 0],
    ['SCOPESTATE_WAIT_PERIODS', '1000', 'waitPeriods', 1000],
    ['LOG_LEVEL', 'silent', 'logLevel', 'silent'],
  ] as const)('%s=%s', (name, text, key, value) => {
    expect(readConfig({ [name]: text })[key]).toBe(value);
  });

  test.each([
    ['PT1M', 'PT1M'],
    ['PT90M', 'PT1H30M'],
    ['P31D', 'P31D'],
  ])('SCOPESTATE_PERIOD=%s', (text, period) => {
    expect(readConfig({ SCOPESTATE_PERIOD: text }).period.toString()).toBe(period);
  });

  test.each([
    ['postgresql://rating:secret@db.example.org:5433/cloudkitty?sslmode=require', undefined],
    ['postgres://db/cloudkitty', undefined],
    ['postgresql://rating:p%40ss@[::1]/cloudkitty', undefined],
    ['postgresql:///cloudkitty?host=/var/run/postgresql', undefined],
    ['postgresql://rating:secret@/cloudkitty?host=/var/run/postgresql', undefined],
    ['postgresql://%2Fvar%2Frun%2Fpostgresql/cloudkitty', undefined],
    ['postgresql+psycopg2://rating:secret@db/cloudkitty', 'postgresql://rating:secret@db/cloudkitty'],
    ['postgresql+psycopg2:///cloudkitty?host=/run', 'postgresql:///cloudkitty?host=/run'],
  ])('DATABASE_URL=%s', (text, normalised) => {
    expect(readConfig({ DATABASE_URL: text }).databaseUrl).toBe(normalised ?? text);
  });
});

describe('a setting is refused, by name, with what was found and what is allowed:', () => {
  test.each([
    ['HOST', 'http://localhost', 'an IP address or a host name'],
    ['HOST', '[::1]', 'an IP address or a host name'],
    ['SCOPESTATE_AUTH', 'tokens', 'none, token'],
    ['HOST', '300.1.1.1', 'an IP address or a host name'],
    ['HOST', 'localhost:4000', 'an IP address or a host name'],
    ['HOST', ' ', 'an IP address or a host name'],
    ['PORT', '65536', 'a whole number from 0 to 65535'],
    ['PORT', '-1', 'a whole number from 0 to 65535'],
    ['PORT', '40.5', 'a whole number from 0 to 65535'],
    ['PORT', '4e3', 'a whole number from 0 to 65535'],
    ['PORT', '0x10', 'a whole number from 0 to 65535'],
    ['PORT', ' 4000', 'a whole number from 0 to 65535'],
    ['PORT', 'tcp://10.0.0.1:4000', 'a whole number from 0 to 65535'],
    ['SCOPESTATE_DATA_DIR', '  ', 'the path of a folder'],
    ['SCOPESTATE_PERIOD', 'PT59.999999S', 'an ISO 8601 duration from PT1M to P31D, for example PT1H'],
    ['SCOPESTATE_PERIOD', 'P31DT0.000001S', 'an ISO 8601 duration from PT1M to P31D, for example PT1H'],
    ['SCOPESTATE_PERIOD', 'P1M', 'an ISO 8601 duration from PT1M to P31D, for example PT1H'],
    ['SCOPESTATE_PERIOD', '3600', 'an ISO 8601 duration from PT1M to P31D, for example PT1H'],
    ['SCOPESTATE_WAIT_PERIODS', '1001', 'a whole number from 0 to 1000'],
    ['SCOPESTATE_WAIT_PERIODS', '1.5', 'a whole number from 0 to 1000'],
    ['SCOPESTATE_HISTORY_RETENTION', 'PT23H', 'an ISO 8601 duration from P1D to P36500D, for example P400D'],
    ['SCOPESTATE_WAIT_PERIODS', 'two', 'a whole number from 0 to 1000'],
    ['LOG_LEVEL', 'INFO', 'fatal, error, warn, info, debug, trace, silent'],
    ['LOG_LEVEL', 'verbose', 'fatal, error, warn, info, debug, trace, silent'],
  ])('%s=%s', (name, text, allowed) => {
    expect(faultsOf({ [name]: text })).toEqual([
      `${name}: found ${JSON.stringify(text)}; allowed: ${allowed}`,
    ]);
  });
});

describe('DATABASE_URL is refused without a word of it:', () => {
  test.each([
    ['mysql://u:hunter2@db/x', 'a URL with the scheme "mysql"'],
    ['postgresql+asyncpg://u:hunter2@db/x', 'a URL with the scheme "postgresql+asyncpg"'],
    ['hunter2', 'a text that is not a URL'],
    ['host=db password=hunter2', 'a URL with a blank or a line break in it'],
    ['postgresql://u:hunter2@db/x\n', 'a URL with a blank or a line break in it'],
    ['postgresql://u:hunter2@db:65536/x', 'a URL that can not be read'],
    ['postgresql://u:hunter2#1@db/x', 'a URL that can not be read'],
    ['postgresql://u:hunter2%zz@db/x', 'a URL that can not be read'],
    ['postgresql://u:hunter2@db/x#y', 'a URL that can not be read'],
    ['postgresql:///x', 'a URL without a host'],
    ['postgresql://u:hunter2@/x', 'a URL without a host'],
    ['postgresql:///x?host=', 'a URL without a host'],
    ['postgresql://u:hunter2@a,b/x', 'a URL with several hosts'],
    ['postgresql://u:hunter2@db', 'a URL without the name of one database'],
    ['postgresql://u:hunter2@db/', 'a URL without the name of one database'],
    ['postgresql://u:hunter2@db/x/y', 'a URL without the name of one database'],
    ['postgresql://u:1/hunter2@db/x', 'a URL without the name of one database'],
  ])('%j', (text, found) => {
    const faults = faultsOf({ DATABASE_URL: text });
    expect(faults).toEqual([expect.stringContaining(`DATABASE_URL: found ${found}; allowed: postgresql://`)]);
    expect(faults.join()).not.toContain('hunter2');
    const path = file('refused', `${text}\n`);
    expect(faultsOf({ DATABASE_URL_FILE: path })).toEqual(
      faults.map((fault) => fault.replace('DATABASE_URL:', `DATABASE_URL_FILE ("${path}"):`)),
    );
  });
});

describe('DATABASE_URL_FILE', () => {
  test.each([
    ['no line break', ''],
    ['a line break', '\n'],
    ['a line break of Windows', '\r\n'],
  ])('may end with %s', (_what, end) => {
    const path = file('url', `postgresql+psycopg2://u:p@db/x${end}`);
    expect(readConfig({ DATABASE_URL_FILE: path }).databaseUrl).toBe('postgresql://u:p@db/x');
  });

  test('gives way to no DATABASE_URL beside it', () => {
    const path = file('url', 'postgresql://u:hunter2@db/x');
    expect(faultsOf({ DATABASE_URL: 'mysql://u:hunter2@db/x', DATABASE_URL_FILE: path })).toEqual([
      'DATABASE_URL_FILE: found both DATABASE_URL and DATABASE_URL_FILE; allowed: one of the two',
    ]);
  });

  test.each([
    ['is missing', () => join(folder, 'missing'), ", which can't be read (ENOENT)"],
    ['is a folder', () => folder, ", which can't be read (EISDIR)"],
    ['is empty', () => file('empty', ''), ', which is empty'],
    ['has a line break alone', () => file('blank', '\n'), ', which is empty'],
  ])('is refused by its path when it %s', (_what, pathOf, remark) => {
    const path = pathOf();
    expect(faultsOf({ DATABASE_URL_FILE: path })).toEqual([
      `DATABASE_URL_FILE: found "${path}"${remark}; allowed: the path of a readable file that is not empty`,
    ]);
  });
});

describe('an unknown SCOPESTATE_ variable', () => {
  test.each([
    ['SCOPESTATE_PERID', ' (did you mean SCOPESTATE_PERIOD?)'],
    ['SCOPESTATE_WAIT_PERIOD', ' (did you mean SCOPESTATE_WAIT_PERIODS?)'],
    ['SCOPESTATE_DATADIR', ' (did you mean SCOPESTATE_DATA_DIR?)'],
    ['SCOPESTATE_DATABASE_URL', ' (did you mean DATABASE_URL?)'],
    ['SCOPESTATE_PORT', ' (did you mean PORT?)'],
    ['SCOPESTATE_COLOUR', ''],
  ])('%s is refused without its value', (name, hint) => {
    expect(faultsOf({ [name]: 'hunter2' })).toEqual([
      `${name}: found a variable that is not known${hint}; ` +
        `allowed: ${settings
          .map((s) => s.name)
          .filter((known) => known.startsWith('SCOPESTATE_'))
          .join(', ')}`,
    ]);
  });

  test('passes when Kubernetes set it for a Service named scopestate', () => {
    expect(
      faultsOf({
        SCOPESTATE_SERVICE_HOST: '10.0.0.1',
        SCOPESTATE_SERVICE_PORT: '4000',
        SCOPESTATE_SERVICE_PORT_HTTP: '4000',
        SCOPESTATE_PORT: 'tcp://10.0.0.1:4000',
        SCOPESTATE_PORT_4000_TCP: 'tcp://10.0.0.1:4000',
        SCOPESTATE_PORT_4000_TCP_PROTO: 'tcp',
        SCOPESTATE_PORT_4000_TCP_PORT: '4000',
        SCOPESTATE_PORT_4000_TCP_ADDR: '10.0.0.1',
      }),
    ).toEqual([]);
  });
});

test('all faults are told at once, one line each', () => {
  const faults = faultsOf({
    HOST: 'a b',
    PORT: 'http',
    DATABASE_URL_FILE: join(folder, 'missing'),
    SCOPESTATE_PERIOD: 'PT1S',
    SCOPESTATE_WAIT_PERIODS: '-1',
    SCOPESTATE_DATA_DIR: ' ',
    LOG_LEVEL: 'lou\nd',
    SCOPESTATE_PERIODS: 'PT1H',
  });
  expect(faults.map((fault) => fault.split(':')[0]).sort()).toEqual([
    'DATABASE_URL_FILE',
    'HOST',
    'LOG_LEVEL',
    'PORT',
    'SCOPESTATE_DATA_DIR',
    'SCOPESTATE_PERIOD',
    'SCOPESTATE_PERIODS',
    'SCOPESTATE_WAIT_PERIODS',
  ]);
});
