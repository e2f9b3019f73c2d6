import type { Client, ScopeState } from '../client/client.js';
import type { CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import type { Pool } from '../database/pool.js';
import { OperatorError, quoted } from '../fault.js';
import { formatInstant, parseInstant } from '../time/instant.js';
import type { Cloud, DemoUnit } from './cloud.rules.js';
import { isDemoId } from './demo-id.rules.js';
import { insertLegacyRows } from './legacy-rows.repository.js';
import { unitOf } from './unit-of.js';

/** How the database is to be filled. */
export interface Filling {
  readonly client: Client;
  readonly cloud: Cloud;
  /** where legacy rows are put; undefined: there are none to be had */
  readonly pool: Pool | undefined;
  readonly waitPeriods: number;
  /** whether states of others may be there */
  readonly intoExisting: boolean;
  readonly signal: AbortSignal;
}

/** What became of it. */
export interface Filled {
  readonly found: number;
  readonly created: number;
  readonly legacy: number;
  /** the server's collection period, as its answers tell it */
  readonly period: Temporal.Duration;
}

/**
 * Puts in what is missing of the cloud, so that a demo goes on with what an earlier one left, in whatever state.
 *
 * @throws OperatorError when states are there that are not a demo's; nothing was done
 */
export async function fill(filling: Filling): Promise<Filled> {
  const { client, cloud, pool, signal } = filling;
  const existing = await statesThere(filling);
  const known = new Set(existing.map((state) => keyOf(state)));
  const wantsState = ({ origin }: DemoUnit) => origin === 'filled' || (origin === 'legacy' && !pool);
  const missing = cloud.units.filter(
    (unit) => wantsState(unit) && !known.has(keyOf(unit)) && !known.has(legacyKeyOf(unit)),
  );
  const now = Temporal.Now.instant();
  const period = periodOf(existing[0] ?? (await firstState(filling, now)));
  const place = (periodsBehind: number) => stateAt(now, period, filling.waitPeriods + periodsBehind);

  const legacy = pool
    ? await insertLegacyRows(
        pool,
        cloud.legacy.map(({ scopeId, periodsBehind }) => ({
          scopeId,
          lastProcessedTimestamp: place(periodsBehind),
        })),
      )
    : 0;
  const [active, inactive] = [true, false].map((flag) => missing.filter((unit) => unit.active === flag));
  // `expected: null`: a state that somebody has made meanwhile stays as it is.
  const advances = active!.map((unit) => ({
    unit: unitOf(unit),
    lastProcessedTimestamp: place(unit.periodsBehind),
    expected: null,
  }));
  const results = await client.advanceMany(advances, { signal });
  let created =
    results.filter(({ outcome }) => outcome === 'CREATED').length + (existing.length === 0 ? 1 : 0);
  for (const unit of inactive!) {
    const lastProcessedTimestamp = place(unit.periodsBehind);
    const { outcome } = await client.create(
      { unit: unitOf(unit), lastProcessedTimestamp, active: false },
      { signal },
    );
    if (outcome === 'CREATED') created++;
  }
  return { found: existing.length, created, legacy, period };
}

/** All that is there; at the first one that is not a demo's it is given up, unless that is wanted. */
async function statesThere({ client, intoExisting, signal }: Filling): Promise<ScopeState[]> {
  const states: ScopeState[] = [];
  for await (const state of client.scopeStates(null, { pageSize: 1000, signal })) {
    if (isDemoId(state.scopeId)) states.push(state);
    else if (!intoExisting) {
      throw new OperatorError(
        `the database already holds states that are not the demo's (the scope id ${quoted(state.scopeId)} for one): nothing was done; use another database, or --into-existing to insist`,
      );
    }
  }
  return states;
}

/** Made to see the server's period, which the API tells of states only. */
async function firstState({ client, cloud, signal }: Filling, now: Temporal.Instant): Promise<ScopeState> {
  const lastProcessedTimestamp = formatInstant(now.subtract({ hours: 3 }).round('second'));
  const { outcome, scopeState } = await client.advance(
    { unit: unitOf(cloud.units[0]!), lastProcessedTimestamp, expected: null },
    { signal },
  );
  if (scopeState) return scopeState;
  throw new OperatorError(
    `the first state was refused (${outcome}): the database's clock must be hours behind this machine's`,
  );
}

function periodOf({ lastProcessedTimestamp, coveredUntil }: ScopeState): Temporal.Duration {
  return parseInstant(lastProcessedTimestamp).until(parseInstant(coveredUntil), { largestUnit: 'hour' });
}

/** So many periods ago, to the whole second, as collectors have it. */
function stateAt(now: Temporal.Instant, period: Temporal.Duration, periodsAgo: number): string {
  const seconds = Math.ceil(period.total('seconds') * periodsAgo);
  return formatInstant(now.subtract({ seconds }).round({ smallestUnit: 'second', roundingMode: 'floor' }));
}

type Keyed = Pick<ScopeState, keyof CollectionUnit>;

function keyOf({ scopeId, scopeKey, collector, fetcher }: Keyed | DemoUnit): string {
  return JSON.stringify([scopeId, scopeKey, collector, fetcher]);
}

function legacyKeyOf({ scopeId }: DemoUnit): string {
  return keyOf({ scopeId, scopeKey: null, collector: null, fetcher: null });
}
