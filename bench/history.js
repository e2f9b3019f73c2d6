// What the history costs: single advances and batches of 500, with it and without it, in one run. After `npm run build`:
//
//   node bench/history.js [rounds]
//
// Two servers on one embedded PostgreSQL, each on its own database; rounds of both take turns, and each pair of rounds
// gives one ratio. The servers' own words, and no history in the second: see without-history.js.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { startEmbeddedPostgres } from '../dist/database/embedded/embedded-postgres.js';
import { createLog } from '../dist/log.js';

const rounds = Number(process.argv[2] ?? 9);
const scopes = 10_000;
const roundMillis = 2_000;
const program = new URL('../dist/main.js', import.meta.url).pathname;
const withoutHistory = new URL('without-history.js', import.meta.url).href;

const folder = await mkdtemp(join(tmpdir(), 'scopestate-bench-'));
const postgres = await startEmbeddedPostgres({ dataDir: folder, log: createLog('warn') });
const servers = [];
try {
  servers.push(await start('with', []), await start('without', ['--import', withoutHistory]));
  for (const { what, size, callers } of [
    { what: 'single advances', size: 1, callers: 16 },
    { what: 'advances in batches of 500', size: 500, callers: 4 },
  ]) {
    const rates = { with: [], without: [] };
    for (let round = 0; round <= rounds; round++) {
      const turn = round % 2 === 0 ? servers : servers.toReversed();
      for (const server of turn) {
        const rate = await measure(server, size, callers);
        if (round > 0) rates[server.name].push(rate); // the first one warms up
      }
    }
    const ratios = rates.with.map((rate, round) => rate / rates.without[round]);
    console.log(
      `${what}: ${median(rates.with).toFixed(0)}/s with history, ${median(rates.without).toFixed(0)}/s without; ` +
        `ratio ${median(ratios).toFixed(3)} (${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)}, ${rounds} rounds)`,
    );
  }
  for (const { name, client } of servers) {
    const { rows } = await client.query(
      `select count(*)::int as entries, (select sum(version - 1)::int from cloudkitty_storage_states) as changes
       from scopestate_history`,
    );
    console.log(`${name} history: ${rows[0].changes} changes, ${rows[0].entries} entries of them`);
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

async function start(name, flags) {
  const url = new URL(postgres.url);
  const admin = new pg.Client(url.href);
  await admin.connect();
  await admin.query(`create database bench_${name}`);
  await admin.end();
  url.pathname = `/bench_${name}`;
  const environment = { PATH: process.env.PATH, DATABASE_URL: url.href, PORT: '0', LOG_LEVEL: 'info' };
  const child = spawn(process.execPath, [...flags, program, 'serve', '--migrate'], {
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const graphql = await new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`the server ${name} history ended`)));
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (line.includes('"event":"ready"')) resolve(JSON.parse(line).url);
    });
  });
  const client = new pg.Client(url.href);
  await client.connect();
  await client.query(
    `insert into cloudkitty_storage_states (identifier, scope_key, collector, fetcher, last_processed_timestamp)
     select n::text, 'project_id', 'gnocchi', 'keystone', '2020-01-01' from generate_series(0, ${scopes - 1}) n`,
  );
  await client.query('truncate scopestate_history');
  await client.query('vacuum analyze');
  return { name, child, client, url: graphql, next: 0 };
}

/** Advances a second. */
async function measure(server, size, callers) {
  await server.client.query('checkpoint');
  const startedAt = performance.now();
  let advanced = 0;
  const work = async () => {
    while (performance.now() - startedAt < roundMillis) {
      const done = await advance(server, size); // not `+= await`: that adds to what was before the wait
      advanced += done;
    }
  };
  await Promise.all(Array.from({ length: callers }, work));
  return advanced / ((performance.now() - startedAt) / 1000);
}

/** The next so many scopes, each to its next minute; in a ring, so that no two requests have the same one. */
async function advance(server, count) {
  const first = server.next;
  server.next += count;
  const advances = Array.from({ length: count }, (_, place) => {
    const turn = Math.floor((first + place) / scopes) + 1;
    return {
      unit: {
        scopeId: String((first + place) % scopes),
        scopeKey: 'project_id',
        collector: 'gnocchi',
        fetcher: 'keystone',
      },
      lastProcessedTimestamp: new Date(Date.UTC(2020, 0, 1, 0, turn)).toISOString(),
    };
  });
  const answer = await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      query:
        'mutation ($advances: [AdvanceScopeStateInput!]!) { advanceScopeStates(input: { advances: $advances }) { results { outcome } } }',
      variables: { advances },
    }),
  });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(JSON.stringify(errors));
  const done = data.advanceScopeStates.results.filter(({ outcome }) => outcome === 'ADVANCED').length;
  if (done !== count) throw new Error(`only ${done} of ${count} were advanced`);
  return done;
}

function median(numbers) {
  const sorted = numbers.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
