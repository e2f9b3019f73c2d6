import { setTimeout } from 'node:timers/promises';
import {
  ScopestateError,
  type AdvanceScopeStateInput,
  type CheckResult,
  type Client,
  type ErrorCode,
} from '../client/client.js';
import { formatInstant, parseInstant } from '../time/instant.js';
import { failingCollector, type DemoUnit } from './cloud.rules.js';
import { draw } from './draw.rules.js';
import { biteOf, slicesOf, type Pace } from './pace.rules.js';
import type { Tally } from './tally.js';
import { unitOf } from './unit-of.js';

/** How many of the advances a second process of the same collector sends as well, from the same check. */
const rivalry = 0.01;

/** In each period: half a one, so it falls behind; one, so it stays where it is. */
const slowness = { failing: 0.5, straggling: 1 };

/** Nobody mends these by waiting. */
const fatal: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'BAD_USER_INPUT',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'UNAUTHENTICATED',
  'FORBIDDEN',
]);

/** What a collector works with. */
export interface CollectorTools {
  readonly client: Client;
  readonly seed: number;
  readonly pace: Pace;
  /** the server's collection period */
  readonly period: Temporal.Duration;
  readonly tally: Tally;
  readonly signal: AbortSignal;
}

/**
 * One collector, round after round: check, "rate", advance with `expected`. Like a real one it remembers nothing of the
 * states from one round to the next, and lives on when the server is away.
 */
export class SimulatedCollector {
  constructor(
    private readonly units: readonly DemoUnit[],
    private readonly tools: CollectorTools,
  ) {}

  /** Works until the signal; throws for what no waiting mends. */
  async run(): Promise<void> {
    const { pace, signal } = this.tools;
    const { size, pauseMillis } = slicesOf(this.units.length, pace);
    for (let round = 0; !signal.aborted; round++) {
      for (let place = 0; place < this.units.length && !signal.aborted; place += size) {
        await this.survive(() => this.visit(this.units.slice(place, place + size), round));
        await setTimeout(pauseMillis, undefined, { signal }).catch(() => {});
      }
    }
  }

  private async survive(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.tools.signal.aborted) return;
      if (!(error instanceof ScopestateError) || fatal.has(error.code)) throw error;
      this.tools.tally.add('failed');
    }
  }

  private async visit(slice: readonly DemoUnit[], round: number): Promise<void> {
    const { client, seed, tally, signal } = this.tools;
    const units = slice.filter(({ firstRound }) => firstRound <= round);
    const checks = await client.checkMany(units.map(unitOf), { signal });
    tally.add('checked', units.length);
    const advances = units.flatMap((unit, place) => this.rate(unit, checks[place]!, round));
    const rivals = advances
      .filter(({ unit }) => draw(seed, 'rival', unit.scopeId, unit.collector, round) < rivalry)
      .map(({ unit, expected = null }) => {
        const { nextPeriod } = checks[units.findIndex((one) => one.scopeId === unit.scopeId)]!;
        return { unit, lastProcessedTimestamp: nextPeriod!.start, expected }; // one period, whatever the backlog
      });
    for (const batch of [advances, rivals]) {
      if (batch.length === 0) continue;
      for (const { outcome, backfilled } of await client.advanceMany(batch, { signal })) {
        tally.add(outcome);
        if (backfilled) tally.add('BACKFILLED');
      }
    }
  }

  /** What is to be advanced, if anything: a period that is due, and whose usage could be read. */
  private rate(unit: DemoUnit, check: CheckResult, round: number): AdvanceScopeStateInput[] {
    const { seed, pace, period, tally } = this.tools;
    const { outcome, scopeState, nextPeriod } = check;
    if (outcome === 'BACKFILLED') tally.add('BACKFILLED');
    if (nextPeriod === null) return [];
    const isSlow = unit.straggles || unit.collector === failingCollector;
    const wanted = unit.straggles ? slowness.straggling : slowness.failing;
    const isRead = !isSlow || draw(seed, 'read', unit.scopeId, unit.collector, round) < pace.chanceOf(wanted);
    if (!isRead) {
      tally.add('unread');
      return [];
    }
    const bite = isSlow || scopeState === null ? 1 : biteOf(scopeState.duePeriods);
    const skipped = Temporal.Duration.from({ seconds: period.total('seconds') * (bite - 1) });
    return [
      {
        unit: unitOf(unit),
        lastProcessedTimestamp: formatInstant(parseInstant(nextPeriod.start).add(skipped)),
        expected: scopeState?.lastProcessedTimestamp ?? null,
      },
    ];
  }
}
