// What the limits cost a point read: this build against another one, on one embedded PostgreSQL. After `npm run build` in both:
//
//   node bench/limits.js OTHER_FOLDER [rounds]
//
// Rounds of both servers take turns, and each pair of rounds gives one ratio. No rate limit stands in the way.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { startEmbeddedPostgres } from '../dist/database/embedded/embedded-postgres.js';
import { createLog } from '../dist/log.js';

const other = resolve(process.argv[2] ?? '.');
const rounds = Number(process.argv[3] ?? 15);
const callers = 8;
const roundMillis = 1_000;
const body = JSON.stringify({
  query: `query ($unit: CollectionUnitInput!) { scopeState(unit: $unit) { id lastProcessedTimestamp version nextPeriod { start end } } }`,
  variables: { unit: { scopeId: 's', scopeKey: 'project_id', collector: 'gnocchi', fetcher: 'keystone' } },
});

const folder = await mkdtemp(join(tmpdir(), 'scopestate-bench-'));
const postgres = await startEmbeddedPostgres({ dataDir: folder, log: createLog('warn') });
const servers = [];
try {
  servers.push(
    await start('this', resolve('.'), { SCOPESTATE_RATE: '1000000', SCOPESTATE_RATE_BURST: '1000000' }),
  );
  servers.push(await start('other', other, {}));
  const rates = { this: [], other: [] };
  for (let round = 0; round <= rounds; round++) {
    for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
      const rate = await measure(server);
      if (round > 0) rates[server.name].push(rate); // the first one warms up
    }
  }
  const ratios = rates.this.map((rate, round) => rate / rates.other[round]);
  console.log(
    `point reads: ${median(rates.this).toFixed(0)}/s here, ${median(rates.other).toFixed(0)}/s there; ` +
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

async function start(name, root, settings) {
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
  return { name, child, url, agent: new Agent({ keepAlive: true, maxSockets: callers }) };
}

/** Answers a second. */
async function measure({ url, agent }) {
  const end = performance.now() + roundMillis;
  let answers = 0;
  const call = async () => {
    while (performance.now() < end) {
      const sent = request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json' } });
      sent.end(body);
      const [response] = await once(sent, 'response');
      const answer = await text(response);
      if (!answer.includes('"scopeState":')) throw new Error(answer);
      answers++;
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  return (answers * 1_000) / roundMillis;
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
