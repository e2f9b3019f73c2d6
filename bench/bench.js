// Measures scopestate beside other servers on the same PostgreSQL: see README.md.
import { vacuum, withClient } from './data/databases.js';
import { measure } from './measure.js';
import { readOptions } from './options.js';
import { listenForStop } from './machine/stop-signal.js';
import { findPgbench, isForPgbench, measurePgbench, versionOfPgbench } from './pgbench.js';
import { writeReport, targetsTable } from './report/report.js';
import { Results } from './report/results.js';
import { setStage } from './stage.js';

const mostSettleSeconds = 30;
const warmUpConcurrency = 64;

const options = readOptions(process.argv.slice(2));
const startedAt = performance.now();
const stopWhenTold = listenForStop();
const say = (text) => {
  stopWhenTold();
  console.log(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(5)} s  ${text}`);
};

const pgbench = options.servers.includes('pgbench') ? await findPgbench() : undefined;
const names = options.servers.filter((name) => name !== 'pgbench' || pgbench !== undefined);
const stage = await setStage({ states: options.states, names, say });
const results = new Results();
try {
  await warmUp();
  const checkpointsBefore = await checkpoints();
  for (let round = 0; round < options.rounds; round += 1) {
    await measureRound(round);
    await vacuum(Object.values(stage.urls));
  }
  const file = await writeReport({
    base: options.quick ? 'RESULTS.quick' : options.isWhole ? 'RESULTS' : 'RESULTS.partial',
    results,
    options,
    names,
    checkpoints: (await checkpoints()) - checkpointsBefore,
    postgres: stage.postgres,
    pgbench: pgbench && (await versionOfPgbench(pgbench)),
    ours: stage.targets.find(({ name }) => name === 'ours'),
    minutes: (performance.now() - startedAt) / 60_000,
  });
  console.log(`\n${targetsTable(results)}\n`);
  const failures = results.failures();
  for (const failure of failures) console.error(failure);
  if (failures.length > 0) process.exitCode = 1;
  say(`written to ${file.pathname}`);
} finally {
  await stage.stop();
}

/** How many there have been: behind one the first change of each page costs more. */
async function checkpoints() {
  const { rows } = await withClient(stage.postgres.url, (client) =>
    client.query('select num_timed + num_requested as done from pg_stat_checkpointer'),
  );
  return Number(rows[0].done);
}

/** Compiled, planned and cached is what servers are when they have run for a while. */
async function warmUp() {
  const cells = Map.groupBy(options.cells, ({ operation }) => operation);
  const seconds = options.warmUpSeconds;
  for (const target of stage.targets) {
    say(`warming up ${target.title}`);
    if (!options.quick) await settle(target);
    for (const [operation, ofOperation] of cells) {
      const concurrencies = ofOperation.map((cell) => cell.concurrency);
      const concurrency = Math.max(...concurrencies.filter((each) => each <= warmUpConcurrency));
      const { failure } = await measure(stage, target, { operation, concurrency, seconds, warmSeconds: 0 });
      if (failure) say(`${target.title}, ${operation}: ${failure}`);
    }
  }
}

/**
 * Each backend of PostgreSQL maps each page of the shared buffers when it first comes to it, which costs more than to look
 * something up on it: look-ups all over the table, until they become no cheaper.
 */
async function settle(target) {
  const given = { operation: 'read', concurrency: 64, seconds: 3, warmSeconds: 0 };
  let last = Infinity;
  for (let seconds = 0; seconds < mostSettleSeconds; seconds += given.seconds) {
    const { failure, postgresMicros } = await measure(stage, target, given);
    if (failure || postgresMicros > last * 0.9) break;
    last = postgresMicros;
  }
  say(`${target.title}: a look-up takes PostgreSQL ${last.toFixed(0)} µs`);
}

/** Each server in turn for each measurement, so that a slow minute of the machine is everybody's; who begins, changes. */
async function measureRound(round) {
  for (const [place, cell] of options.cells.entries()) {
    say(`round ${round + 1} of ${options.rounds}: ${cell.operation}, ${cell.concurrency} at once`);
    const first = (round + place) % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      stopWhenTold();
      const given = { ...cell, ...options };
      if (name !== 'pgbench') {
        const target = stage.targets.find((one) => one.name === name);
        results.add(cell, name, await measure(stage, target, given));
      } else if (isForPgbench(cell.operation)) {
        const where = { postgres: stage.postgres, url: stage.urls.pgbench };
        results.add(cell, name, await measurePgbench(pgbench, where, given));
      }
    }
  }
}
