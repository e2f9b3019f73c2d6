// What a locked row costs the others: single advances, 64 at once, while nobody holds anything, and while somebody holds
// one row for as long as a measurement lasts and 16 callers want to advance just that one. After `npm run build`:
//
//   npm exec -- node bench/locked.js [rounds] [seconds]
//
// Both are measured in turn; each pair of rounds gives one ratio of the others' p99. The 16 have to wait, and one is
// ADVANCED and the others UNCHANGED when the row is free: nobody is told that it is not there.
import pg from 'pg';
import { measure } from './measure.js';
import { median } from './report/statistics.js';
import { setStage } from './stage.js';

const rounds = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 10);
const others = { operation: 'advance', concurrency: 64, seconds, warmSeconds: 0.5 };
const waiting = 16;
const unit = { scopeId: 'held', scopeKey: 'project_id', collector: 'gnocchi', fetcher: 'keystone' };
const advance = `mutation ($input: AdvanceScopeStateInput!) { advanceScopeState(input: $input) { outcome } }`;

const stage = await setStage({ states: 100_000, names: ['ours'], say: console.log });
try {
  const [target] = stage.targets;
  await target.client.query(
    `insert into cloudkitty_storage_states (identifier, scope_key, collector, fetcher, last_processed_timestamp)
     values ($1, $2, $3, $4, '2024-01-01')`,
    Object.values(unit),
  );
  await measureOthers(target); // warms up
  const ratios = [];
  for (let round = 1; round <= rounds; round++) {
    const turns = [() => measureOthers(target), () => measureWhileHeld(target, round)];
    if (round % 2 === 0) turns.reverse();
    const measured = [await turns[0](), await turns[1]()];
    const [free, held] = round % 2 === 0 ? measured.toReversed() : measured;
    ratios.push(held.p99 / free.p99);
    console.log(
      `round ${round}: p99 ${free.p99.toFixed(1)} ms, ${free.rate.toFixed(0)}/s; ` +
        `while a row is held ${held.p99.toFixed(1)} ms, ${held.rate.toFixed(0)}/s`,
    );
  }
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  console.log(
    `p99 of the others while a row is held: ${median(ratios).toFixed(2)} of what it is else (${range})`,
  );
} finally {
  await stage.stop();
}

async function measureOthers(target) {
  const found = await measure(stage, target, others);
  if (found.failure) throw new Error(found.failure);
  return found;
}

async function measureWhileHeld(target, round) {
  const holder = new pg.Client(stage.urls.ours);
  await holder.connect();
  try {
    await holder.query('begin');
    await holder.query('select from cloudkitty_storage_states where identifier = $1 for update', [
      unit.scopeId,
    ]);
    const answers = Promise.all(Array.from({ length: waiting }, () => advanceHeld(target, round)));
    const found = await measureOthers(target);
    const freedAt = performance.now();
    await holder.query('commit');
    const outcomes = (await answers).map(({ outcome }) => outcome).sort();
    if (outcomes.join() !== ['ADVANCED', ...Array(waiting - 1).fill('UNCHANGED')].join()) {
      throw new Error(`those of the held row were told ${outcomes.join()}`);
    }
    if ((await answers).some(({ answeredAt }) => answeredAt < freedAt))
      throw new Error('one was told too early');
    return found;
  } finally {
    await holder.end();
  }
}

async function advanceHeld({ port, token }, round) {
  const lastProcessedTimestamp = new Date(Date.UTC(2024, 0, 1, round)).toISOString();
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: advance, variables: { input: { unit, lastProcessedTimestamp } } }),
  });
  const { data, errors } = await response.json();
  const outcome = errors ? errors[0].message : data.advanceScopeState.outcome;
  return { outcome, answeredAt: performance.now() };
}
