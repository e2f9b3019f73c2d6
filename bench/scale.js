// How ours grows: the same work on 10,000, 100,000 and 1,000,000 states, then a minute of everything at once while the
// server's memory is watched. Writes SCALE.md. See README.md.
import { setTimeout } from 'node:timers/promises';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { vacuum } from './data/databases.js';
import { residentBytes } from './machine/cpu.js';
import { listenForStop } from './machine/stop-signal.js';
import { measure } from './measure.js';
import { formatted, shown, table } from './report/report.js';
import { noiseBound } from './report/results.js';
import { median, spread } from './report/statistics.js';
import { setStageOfSizes } from './stage.js';
import { operations } from './work/operations.js';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const plan = values.quick
  ? { sizes: [10_000, 100_000], rounds: 2, seconds: 0.5, mixedSeconds: 20 }
  : { sizes: [10_000, 100_000, 1_000_000], rounds: 5, seconds: 1, mixedSeconds: 60 };
const cells = [
  { operation: 'read', concurrency: 1 },
  { operation: 'read', concurrency: 64 },
  { operation: 'advance', concurrency: 1 },
  { operation: 'advance', concurrency: 64 },
  { operation: 'page', concurrency: 8 },
  { operation: 'deep', concurrency: 8 },
];
const mixed = ['read', 'advance', 'check', 'read', 'page'];
/** Of the last third of the minute over the second; the first third is the heap finding its size. */
const mostMemoryGrowth = 1.15;
const mostTimeGrowth = 1.5;

const stopWhenTold = listenForStop();
const say = (text) => {
  stopWhenTold();
  console.log(text);
};
const stage = await setStageOfSizes({ sizes: plan.sizes, say });
try {
  const rates = await measureSizes();
  const memory = await watchMemory(stage.targets.at(-1));
  const base = values.quick ? 'SCALE.quick' : 'SCALE';
  const file = new URL(`${base}.md`, import.meta.url);
  await writeFile(file, await formatted(report(rates, memory), file));
  console.log(report(rates, memory));
} finally {
  await stage.stop();
}

/** Requests a second of each round, by cell and size; the sizes take turns. */
async function measureSizes() {
  const rates = cells.map(() => plan.sizes.map(() => []));
  for (let round = 0; round <= plan.rounds; round += 1) {
    say(round === 0 ? 'warming up' : `round ${round} of ${plan.rounds}`);
    for (const [row, cell] of cells.entries()) {
      for (let turn = 0; turn < plan.sizes.length; turn += 1) {
        stopWhenTold();
        const column = (turn + round + row) % plan.sizes.length;
        const given = { ...cell, seconds: plan.seconds, warmSeconds: 0.1 };
        const { rate, failure } = await measure(stage, stage.targets[column], given);
        if (failure) throw new Error(`${cell.operation} on ${plan.sizes[column]} states: ${failure}`);
        if (round > 0) rates[row][column].push(rate);
      }
    }
    await vacuum(Object.values(stage.urls));
  }
  return rates;
}

/** Resident bytes, each second of the mixed load. */
async function watchMemory(target) {
  const { name } = target;
  say(`${plan.mixedSeconds} s of reads, advances, checks and pages, 64 at once, on ${name} states`);
  const samples = [];
  await stage.load.open({ name, concurrency: 64 });
  let isDone = false;
  const load = stage.load
    .run({ name, operation: mixed, millis: plan.mixedSeconds * 1000 })
    .finally(() => (isDone = true));
  while (!isDone) {
    samples.push(residentBytes(target.pid));
    await Promise.race([load, setTimeout(1000)]);
    stopWhenTold();
  }
  const { failure, requests, elapsedMillis } = await load;
  await stage.load.close({ name });
  if (failure) throw new Error(`mixed load: ${failure}`);
  return { samples, rate: requests / (elapsedMillis / 1000) };
}

function report(rates, { samples, rate }) {
  const third = Math.floor(samples.length / 3);
  const megabytes = (part) => median(part) / 2 ** 20;
  const [first, second, last] = [0, third, 2 * third].map((from) =>
    megabytes(samples.slice(from, from + third)),
  );
  const rows = cells.map(({ operation, concurrency }, row) => {
    const medians = rates[row].map(median);
    const isNoisy = rates[row].some((rounds) => spread(rounds) > noiseBound);
    const growth = medians[0] / medians.at(-1);
    return [
      operations[operation].title,
      concurrency,
      ...medians.map(shown),
      `${growth.toFixed(2)}×${isNoisy ? ' ~' : ''}`,
      growth <= mostTimeGrowth ? 'flat' : '**grows**',
    ];
  });
  const head = [
    'operation',
    'concurrency',
    ...plan.sizes.map((size) => `${size} states`),
    'time grows by',
    'so',
  ];
  const growth = last / second;
  return `# How it grows

${values.quick ? '**This is `--quick`: not the real thing.**\n\n' : ''}Requests a second, medians of ${plan.rounds} rounds of ${plan.seconds} s in which the sizes take turns. "Flat" is at most ${mostTimeGrowth}× the
time of the smallest table: an index of a million is a level deeper than one of ten thousand, and fits no cache of a core.
\`~\`: the two rounds between which the median lies, nine in ten sure, are further apart than ${noiseBound * 100} % of it.

${table(head, rows)}

## Memory

${plan.mixedSeconds} s of reads, advances, checks and pages, 64 at once, on ${plan.sizes.at(-1)} states, ${shown(rate)} requests/s. Resident memory
of the server, medians of each third: ${first.toFixed(0)} MiB, ${second.toFixed(0)} MiB, ${last.toFixed(0)} MiB: ${
    growth <= mostMemoryGrowth ? 'flat' : '**it grows**'
  } (at most ${mostMemoryGrowth}× from the second third to the last).

\`npm run bench:scale\` repeats it.
`;
}
