// Where the time of our server goes: a profile under load, as a flame graph. After `npm run build`:
//
//   npm exec -- node bench/profile.js [operation] [concurrency] [seconds]
//
// Writes FLAME.<operation>-<concurrency>.svg here. Time is the clock's: where a function waits for a core, it is longer.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listenForStop } from './machine/stop-signal.js';
import { measure } from './measure.js';
import { flameGraph } from './report/flame.js';
import { setStageOfSizes } from './stage.js';
import { operations } from './work/operations.js';

const [operation = 'read', concurrency = '64', seconds = '10'] = process.argv.slice(2);
if (!(operation in operations) || !(concurrency > 0) || !(seconds > 0)) {
  throw new Error(
    `no profile of ${process.argv.slice(2).join(' ')}: allowed are ${Object.keys(operations).join(', ')}, and two numbers`,
  );
}
const given = { operation, concurrency: Number(concurrency), seconds: Number(seconds), warmSeconds: 5 };
const clock = () => Number(process.hrtime.bigint() / 1000n); // the profile's, in microseconds

const stopWhenTold = listenForStop();
const say = (text) => {
  stopWhenTold();
  console.log(text);
};
const folder = await mkdtemp(join(tmpdir(), 'scopestate-profile-'));
try {
  const between = await measureProfiled();
  const [name] = (await readdir(folder)).filter((file) => file.endsWith('.cpuprofile'));
  const profile = JSON.parse(await readFile(join(folder, name), 'utf8'));
  const file = new URL(`FLAME.${operation}-${concurrency}.svg`, import.meta.url);
  const title = `scopestate, ${operation}, ${concurrency} at once`;
  await writeFile(file, flameGraph(profile, { title, between }));
  say(`written to ${file.pathname}`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** When it was measured; the server has written its profile, as it does when it ends. */
async function measureProfiled() {
  const nodeOptions = ['--cpu-prof', `--cpu-prof-dir=${folder}`];
  const stage = await setStageOfSizes({ sizes: [100_000], nodeOptions, say });
  try {
    const { failure, rate } = await measure(stage, stage.targets[0], given);
    if (failure) throw new Error(failure);
    say(`${rate.toFixed(0)} requests a second`);
    const until = clock();
    return [until - given.seconds * 1e6, until];
  } finally {
    await stage.stop();
  }
}
