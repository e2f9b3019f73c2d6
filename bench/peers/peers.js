// Who is measured. Each is one Node.js process with a pool of 20 connections, on a database of its own.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { withClient } from '../data/databases.js';
import { startServer } from '../machine/server-process.js';
import { portIn } from './listening.js';

const run = promisify(execFile);
const program = new URL('../../dist/main.js', import.meta.url).pathname;
const fileOf = (name) => new URL(`${name}.js`, import.meta.url).pathname;

const peer = (name, title, dialect, packages = []) => ({
  name,
  title,
  dialect,
  packages,
  start: ({ url, folder }) =>
    startServer({ name, file: fileOf(name), environment: { DATABASE_URL: url }, folder, portIn }),
});

const postgraphile = peer('postgraphile', 'PostGraphile 5', 'postgraphile', ['postgraphile']);

export const servers = [
  {
    name: 'ours',
    title: 'scopestate',
    dialect: 'graphql',
    ownCursors: true,
    packages: [],
    start: startOurs,
  },
  {
    ...postgraphile,
    ownCursors: true,
    async start(given) {
      const text = await readFile(new URL('postgraphile.sql', import.meta.url), 'utf8');
      await withClient(given.url, (client) => client.query(text));
      return postgraphile.start(given);
    },
  },
  peer('mercurius', 'Mercurius, jit', 'graphql', ['mercurius', 'fastify', 'pg']),
  peer('yoga', 'GraphQL Yoga', 'graphql', ['graphql-yoga', 'pg']),
  peer('tutorial', 'the tutorial way', 'graphql', [
    '@apollo/server',
    'type-graphql',
    '@mikro-orm/postgresql',
  ]),
  peer('bare', 'bare node:http', 'bare', ['pg']),
  peer('batched', 'bare, batched', 'bare', ['pg']),
];

/**
 * As shipped: history, validation and CSRF prevention are always on, and a token is asked for where there are tokens. One
 * caller makes the whole load: his rate is counted, as always, against a limit that he does not reach.
 */
export async function startOurs({ name = 'ours', url, folder, nodeOptions }) {
  const environment = { DATABASE_URL: url, PORT: '0' };
  const limits = { SCOPESTATE_RATE: '1000000', SCOPESTATE_RATE_BURST: '1000000' };
  const token = await createToken(environment);
  const server = await startServer({
    name,
    file: program,
    args: ['serve'],
    nodeOptions,
    environment: { ...environment, ...limits, ...(token && { SCOPESTATE_AUTH: 'token' }) },
    folder,
    portIn(output) {
      const ready = output.split('\n').find((line) => line.includes('"event":"ready"'));
      return ready && Number(new URL(JSON.parse(ready).url).port);
    },
  });
  return { ...server, token };
}

async function createToken(environment) {
  const scopestate = (...words) =>
    run(process.execPath, [program, ...words], { env: { PATH: process.env.PATH, ...environment } });
  const hasTokens = (await scopestate('--help')).stdout.includes('  token');
  if (!hasTokens) return undefined;
  const { stdout } = await scopestate('token', 'create', '--name', 'bench', '--role', 'collector');
  const token = /\bscst_[\w-]+/.exec(stdout)?.[0];
  if (token === undefined) throw new Error(`no token in what "token create" says: ${stdout}`);
  return token;
}
