// What the history costs: single advances and batches of 500, as they are, without it, and without the trigger that
// catches other writers, in one run. After `npm run build`:
//
//   npm exec -- node bench/history.js [rounds]
//
// Three servers on one embedded PostgreSQL, each on its own database; their rounds take turns, and each set of rounds
// gives one ratio to each of the others: of the rates, and of the processor time that an advance took in PostgreSQL, which
// tells more on a machine that is busy with other things. No history in the second: see without-history.js.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
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
  servers.push(
    await start('as_it_is', []),
    await start('without_history', ['--import', withoutHistory]),
    await start('without_trigger', []),
  );
  await servers[2].client.query('drop trigger scopestate_record_foreign_write on cloudkitty_storage_states');
  for (const { what, size, callers } of [
    { what: 'single advances', size: 1, callers: 16 },
    { what: 'advances in batches of 500', size: 500, callers: 4 },
  ]) {
    const measured = Object.fromEntries(servers.map(({ name }) => [name, []]));
    for (let round = 0; round <= rounds; round++) {
      const first = round % servers.length;
      const turn = [...servers.slice(first), ...servers.slice(0, first)];
      for (const server of turn) {
        const found = await measure(server, size, callers);
        if (round > 0) measured[server.name].push(found); // the first one warms up
      }
    }
    console.log(`${what}, ${rounds} rounds:`);
    for (const { name } of servers) {
      console.log(`  ${name}: ${told(measured.as_it_is, measured[name])}`);
    }
  }
  for (const { name, client } of servers) {
    const { rows } = await client.query(
      `select count(*)::int as entries, (select sum(version - 1)::int from cloudkitty_storage_states) as changes
       from scopestate_history`,
    );
    console.log(`${name}: ${rows[0].changes} changes, ${rows[0].entries} entries of them`);
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
    child.once('exit', () => reject(new Error(`the server ${name} ended`)));
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

/** Medians, and how what is compares with what was measured beside it: round by round. */
function told(asItIs, others) {
  const [rate, micros] = ['rate', 'micros'].map((what) => {
    const ratios = asItIs.map((one, round) => one[what] / others[round][what]);
    const range = `${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)}`;
    return {
      median: median(others.map((one) => one[what])),
      ratio: `${median(ratios).toFixed(3)} (${range})`,
    };
  });
  return (
    `${rate.median.toFixed(0)}/s, as it is: ${rate.ratio} of that; ` +
    `${micros.median.toFixed(0)} µs of PostgreSQL's processor time, as it is: ${micros.ratio} of that`
  );
}

/** What each backend of a server's pool has worked, in microseconds: the kernel counts in hundredths of a second. */
async function worked(server) {
  const { rows } = await server.client.query(
    `select pid from pg_stat_activity where datname = current_database() and application_name = 'scopestate'`,
  );
  const found = new Map();
  for (const { pid } of rows) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined); // it may have ended
    if (stat === undefined) continue;
    const fields = stat.split(') ')[1].split(' ');
    found.set(pid, (Number(fields[11]) + Number(fields[12])) * 10_000);
  }
  return found;
}

/** Advances a second, and the processor time of one. */
async function measure(server, size, callers) {
  await server.client.query('checkpoint');
  const workedBefore = await worked(server);
  const startedAt = performance.now();
  let advanced = 0;
  const work = async () => {
    while (performance.now() - startedAt < roundMillis) {
      const done = await advance(server, size); // not `+= await`: that adds to what was before the wait
      advanced += done;
    }
  };
  await Promise.all(Array.from({ length: callers }, work));
  const seconds = (performance.now() - startedAt) / 1000;
  let micros = 0;
  for (const [pid, some] of await worked(server)) micros += some - (workedBefore.get(pid) ?? 0);
  return { rate: advanced / seconds, micros: micros / advanced };
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
