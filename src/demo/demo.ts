import { createClient } from '../client/client.js';
import type { Pool } from '../database/pool.js';
import { formatDuration } from '../time/duration.js';
import { planCloud } from './cloud.rules.js';
import { SimulatedCollector } from './collector.js';
import { fill } from './fill.js';
import { paceOf } from './pace.rules.js';
import { Tally } from './tally.js';

const reportMillis = 5_000;

/** What the demo is to be. */
export interface DemoOptions {
  /** of the GraphQL endpoint */
  readonly url: string;
  /** to come in with; undefined: none is needed */
  readonly token: string | undefined;
  /** the server's database, for legacy rows; undefined: there won't be any */
  readonly pool: Pool | undefined;
  readonly waitPeriods: number;
  readonly scopes: number;
  readonly seed: number;
  readonly speed: number;
  readonly intoExisting: boolean;
  /** takes a line of plain text */
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Fills the database, then lets collectors work until the signal, which ends it without an error.
 *
 * @throws OperatorError when states are there that are not a demo's
 * @throws ScopestateError when the server can't be reached at the start, or refuses what is sent
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  try {
    await live(options);
  } catch (error) {
    if (!options.signal.aborted) throw error;
  }
}

async function live({ url, token, pool, waitPeriods, intoExisting, ...options }: DemoOptions): Promise<void> {
  const { scopes, seed, speed, print, signal } = options;
  const cloud = planCloud(seed, scopes);
  const client = createClient({ url, token, retry: { withinMillis: 10_000 } });
  print(`filling ${url}: ${scopes} scopes, ${cloud.units.length} units, seed ${seed}`);
  const filled = await fill({ client, cloud, pool, waitPeriods, intoExisting, signal });
  print(
    `found ${filled.found} states of the demo, created ${filled.created} and ${filled.legacy} legacy ones` +
      (pool ? '' : ' (they take --serve: no API makes them)'),
  );

  const { period } = filled;
  const pace = paceOf(speed, period.total('milliseconds'));
  const tally = new Tally();
  // The first collector that can't go on ends all of them.
  const stop = new AbortController();
  const tools = { client, seed, pace, period, tally, signal: AbortSignal.any([signal, stop.signal]) };
  const collectors = Object.entries(Object.groupBy(cloud.units, ({ collector }) => collector));
  print(
    `collectors at work: ${collectors.map(([name]) => name).join(', ')}; the server's period is ${formatDuration(period)}, ` +
      `a collector's round about ${pace.roundMillis / 1000} s; Ctrl-C ends it`,
  );
  const reports = setInterval(() => print(`${timeOfDay()}  ${tally.report()}`), reportMillis);
  try {
    await Promise.all(collectors.map(([, units]) => new SimulatedCollector(units!, tools).run()));
  } finally {
    clearInterval(reports);
    stop.abort();
  }
}

function timeOfDay(): string {
  return Temporal.Now.instant().toString().slice(11, 19);
}
