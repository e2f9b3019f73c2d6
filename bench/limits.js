// What safety costs a point read: this build, which asks for a token with a grant, against another one, which lets anybody in,
// on one embedded PostgreSQL. After `npm run build` in both:
//
//   npm exec -- node bench/limits.js [OTHER_FOLDER] [rounds]
//
// The other folder can be this one (what tokens and grants cost), or a clone of a commit before roles, tokens and limits.
// CPU time of the server process for each answer, which other work on the machine disturbs least (Linux: from /proc). Rounds of
// both servers take turns, and each pair of rounds gives one ratio. No rate limit stands in the way.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import pg from 'pg';
import { startEmbeddedPostgres } from '../dist/database/embedded/embedded-postgres.js';
import { createLog } from '../dist/log.js';

const other = resolve(process.argv[2] ?? '.');
const rounds = Number(process.argv[3] ?? 15);
const callers = 8;
const unhurried = { SCOPESTATE_RATE: '1000000', SCOPESTATE_RATE_BURST: '1000000' };
const roundMillis = 2_000;
const body = JSON.stringify({
  query: `query ($unit: CollectionUnitInput!) { scopeState(unit: $unit) { id lastProcessedTimestamp version nextPeriod { start end } } }`,
  variables: { unit: { scopeId: 's', scopeKey: 'project_id', collector: 'gnocchi', fetcher: 'keystone' } },
});

const folder = await mkdtemp(join(tmpdir(), 'scopestate-bench-'));
const postgres = await startEmbeddedPostgres({ dataDir: folder, log: createLog('warn') });
const servers = [];
try {
  const { headers, ...settings } = await asForStrangers(resolve('.'));
  servers.push(await start('this', resolve('.'), settings, headers));
  const settingsOfOther = other === resolve('.') ? unhurried : { DATABASE_URL: await ownDatabase('other') };
  servers.push(await start('other', other, settingsOfOther));
  const costs = { this: [], other: [] };
  for (let round = 0; round <= rounds; round++) {
    for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
      const cost = await measure(server);
      if (round > 0) costs[server.name].push(cost); // the first one warms up
    }
  }
  const ratios = costs.this.map((cost, round) => cost / costs.other[round]);
  console.log(
    `point reads: ${median(costs.this).toFixed(0)} µs here, ${median(costs.other).toFixed(0)} µs there; ` +
      `ratio ${median(ratios).toFixed(3)} (${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)}, ${rounds} rounds)`,
  );
} finally {
  for (const { child } of servers) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}

/** Settings of a server that asks who is there, and what to say to it. */
async function asForStrangers(root) {
  const scopestate = (...words) =>
    promisify(execFile)(process.execPath, [join(root, 'dist/main.js'), ...words], {
      env: { PATH: process.env.PATH, DATABASE_URL: postgres.url },
    });
  await scopestate('migrate', 'up');
  const words = ['--name', 'bench', '--role', 'collector', '--grant', 'collector=gnoc*,scopeKey=project_id'];
  const { stdout } = await scopestate('token', 'create', ...words);
  return { ...unhurried, SCOPESTATE_AUTH: 'token', headers: { authorization: `Bearer ${stdout.trim()}` } };
}

/** An older build starts on no database that a newer one has migrated. */
async function ownDatabase(name) {
  const client = new pg.Client(postgres.url);
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  const url = new URL(postgres.url);
  url.pathname = `/${name}`;
  return url.href;
}

async function start(name, root, settings, headers = {}) {
  const child = spawn(process.execPath, [join(root, 'dist/main.js'), 'serve', '--migrate'], {
    env: { PATH: process.env.PATH, DATABASE_URL: postgres.url, PORT: '0', LOG_LEVEL: 'info', ...settings },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const url = await new Promise((settle, reject) => {
    child.once('exit', () => reject(new Error(`the server of ${root} ended`)));
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (line.includes('"event":"ready"')) settle(JSON.parse(line).url);
    });
  });
  return { name, child, url, headers, agent: new Agent({ keepAlive: true, maxSockets: callers }) };
}

/** Microseconds of CPU time an answer. */
async function measure({ url, agent, child, headers }) {
  const before = await cpuMicros(child.pid);
  const end = performance.now() + roundMillis;
  let answers = 0;
  const call = async () => {
    while (performance.now() < end) {
      const sent = request(url, {
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/json', ...headers },
      });
      sent.end(body);
      const [response] = await once(sent, 'response');
      const answer = await text(response);
      if (!answer.includes('"scopeState":')) throw new Error(answer);
      answers++;
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  return ((await cpuMicros(child.pid)) - before) / answers;
}

/** User and system time are fields 14 and 15, in hundredths of a second; the second one is a name in parentheses. */
async function cpuMicros(pid) {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
