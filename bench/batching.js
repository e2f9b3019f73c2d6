// What shared statements and a shorter path bring: point reads and single advances. After `npm run build`:
//
//   node bench/batching.js [rounds] [NAME=path/of/main.js …]
//
// Each program is a server of its own on its own database of one embedded PostgreSQL; `ours` is this build, others are
// builds of other commits. Bare servers (bare.js: node:http and pg, no GraphQL) stand beside, one with a statement a
// request and one that gathers. Rounds of all of them take turns; the figures are medians over the rounds.
import { spawn } from 'node:child_process';
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { startEmbeddedPostgres } from '../dist/database/embedded/embedded-postgres.js';
import { createLog } from '../dist/log.js';
import { measure, median } from './load.js';

const [roundsAsked = '3', ...others] = process.argv.slice(2);
const rounds = Number(roundsAsked);
const scopes = Number(process.env.SCOPES ?? 20_000);
const millis = Number(process.env.MILLIS ?? 1_500);
const levels = (process.env.CONCURRENCY ?? '1,8,64,512').split(',').map(Number);
const here = (path) => new URL(path, import.meta.url).pathname;

const programs = [
  ...others.map((other) => other.split('=')).map(([name, path]) => ({ name, words: [path, 'serve'] })),
  { name: 'ours', words: [here('../dist/main.js'), 'serve'] },
  ...(process.env.BARE === 'off'
    ? []
    : [
        { name: 'bare', words: [here('bare.js'), 'single'] },
        { name: 'bare, gathering', words: [here('bare.js'), 'gathering'] },
      ]),
];

const fields = 'id scopeId scopeKey collector fetcher lastProcessedTimestamp active version';
const queries = {
  read: `query ($unit: CollectionUnitInput!) { scopeState(unit: $unit) { ${fields} } }`,
  advance: `mutation ($input: AdvanceScopeStateInput!) { advanceScopeState(input: $input) { outcome scopeState { ${fields} } } }`,
};
const unitOf = (scope) => ({
  scopeId: `scope-${scope}`,
  scopeKey: 'project_id',
  collector: 'gnocchi',
  fetcher: 'keystone',
});

const folder = await mkdtemp(join(tmpdir(), 'scopestate-bench-'));
const postgres = await startEmbeddedPostgres({ dataDir: folder, log: createLog('warn') });
const servers = [];
try {
  for (const program of programs) servers.push(await start(program));
  for (const operation of (process.env.OPERATIONS ?? 'read,advance').split(',')) {
    for (const concurrency of levels) {
      const figures = new Map(servers.map((server) => [server, []]));
      for (let round = 0; round <= rounds; round++) {
        for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
          await server.client.query('checkpoint');
          const before = await cpuOf(server);
          const figure = await measure(server.url, {
            concurrency,
            millis,
            bodyOf: () => bodyOf(server, operation),
            isRight: (text) => text.includes(operation === 'read' ? '"scope-' : 'ADVANCED'),
          });
          const after = await cpuOf(server);
          figure.server = ((after - before) * 10_000) / ((figure.perSecond * millis) / 1000);
          if (round > 0) figures.get(server).push(figure); // the first one warms up
        }
      }
      for (const [{ name }, rows] of figures) {
        const of = (key) => median(rows.map((row) => row[key]));
        console.log(
          `${operation.padEnd(8)} ${String(concurrency).padStart(3)}  ${name.padEnd(16)} ${of('perSecond').toFixed(0).padStart(6)}/s` +
            `  p50 ${of('p50').toFixed(2)} ms  p99 ${of('p99').toFixed(2)} ms  server ${of('server').toFixed(0)} µs`,
        );
      }
    }
  }
  for (const { name, client } of servers) {
    const { rows } = await client.query(
      `select n_tup_upd as updated, n_tup_hot_upd as hot from pg_stat_user_tables where relname = 'cloudkitty_storage_states'`,
    );
    console.log(`${name}: ${rows[0].updated} updates, ${rows[0].hot} of them HOT`);
  }
} finally {
  for (const { client, child } of servers) {
    await client.end();
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
  }
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}

async function start({ name, words }) {
  const url = new URL(postgres.url);
  const admin = new pg.Client(url.href);
  await admin.connect();
  url.pathname = `/bench_${servers.length}`;
  await admin.query(`create database bench_${servers.length}`);
  await admin.end();
  const environment = { PATH: process.env.PATH, DATABASE_URL: url.href, PORT: '0', LOG_LEVEL: 'info' };
  await run([words[1] === 'serve' ? words[0] : here('../dist/main.js'), 'migrate', 'up'], environment);
  const client = new pg.Client(url.href);
  await client.connect();
  await client.query(
    `insert into cloudkitty_storage_states (identifier, scope_key, collector, fetcher, last_processed_timestamp)
     select 'scope-' || n, 'project_id', 'gnocchi', 'keystone', '2020-01-01' from generate_series(0, ${scopes - 1}) n`,
  );
  await client.query('truncate scopestate_history');
  await client.query('vacuum analyze');
  const flags = name === process.env.PROFILE ? ['--cpu-prof', '--cpu-prof-dir=/tmp/scopestate-profile'] : [];
  const child = spawn(process.execPath, [...flags, ...words], {
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const listens = await new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`${name} ended`)));
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (line.includes('"event":"ready"')) resolve(JSON.parse(line).url);
      else if (line.includes('"level":"error"')) console.error(line);
    });
  });
  return { name, child, client, url: listens, next: 0 };
}

function run(words, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words, { env, stdio: 'ignore' });
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${words.join(' ')}: ${code}`))));
  });
}

/** Hundredths of a second that the server has computed. */
async function cpuOf({ child }) {
  const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8').catch(() => '');
  const [user = 0, system = 0] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14).map(Number);
  return user + system;
}

/** Advances go round in a ring, so that no two requests under way have the same scope. */
function bodyOf(server, operation) {
  if (operation === 'read') {
    const unit = unitOf(Math.floor(Math.random() * scopes));
    return JSON.stringify({ query: queries.read, variables: { unit } });
  }
  const place = server.next++;
  const input = {
    unit: unitOf(place % scopes),
    lastProcessedTimestamp: new Date(Date.UTC(2020, 0, 1, 0, Math.floor(place / scopes) + 1)).toISOString(),
  };
  return JSON.stringify({ query: queries.advance, variables: { input } });
}
