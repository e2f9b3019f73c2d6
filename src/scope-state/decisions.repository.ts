import { asFault, tellsOfARival, tellsOfOneItem } from '../database/faults.js';
import { Gathering, type Job, type LeftOver } from '../database/gathering.js';
import type { Caller } from '../caller/caller.js';
import type { Advance } from './advance.rules.js';
import type { Fate, HasState, Item, LockedStatesRepository } from './locked-states.repository.js';
import type { Advanced, LockedStates } from './locked-states.rules.js';
import { expectsNone, type PlainAdvancesRepository } from './plain-advances.repository.js';

/** What was decided, and when by the database's clock. */
export interface Decided<Result extends HasState = HasState> {
  readonly result: Result;
  readonly now: Temporal.Instant;
}

export interface DecidedAll<Result extends HasState> {
  readonly results: Result[];
  readonly now: Temporal.Instant;
}

export interface Decisions {
  /** Decides on a unit for one caller. */
  decide<Result extends HasState>(item: Item<Result>): Promise<Decided<Result>>;
  /** Advances many units for one caller, in one transaction. */
  advanceAll(advances: readonly Advance[], caller: Caller): Promise<DecidedAll<Advanced>>;
}

/** Each item in a transaction of its own. */
export class SingleDecisions implements Decisions {
  private readonly states: LockedStatesRepository;

  constructor(states: LockedStatesRepository) {
    this.states = states;
  }

  async decide<Result extends HasState>({ unit, caller, decide }: Item<Result>): Promise<Decided<Result>> {
    const { results, now } = await this.states.decide([unit], caller, (states) => [decide(states)]);
    return { result: results[0]!, now };
  }

  advanceAll(advances: readonly Advance[], caller: Caller): Promise<DecidedAll<Advanced>> {
    return this.states.decide(...asWhole(advances, caller));
  }
}

function asWhole(advances: readonly Advance[], caller: Caller) {
  const decide = (states: LockedStates) => advances.map((advance) => states.advance(advance));
  return [advances.map(({ unit }) => unit), caller, decide] as const;
}

type DecisionJob = Job<Item, Decided>;
type Left = LeftOver<Item, Decided>;

/**
 * Group commit: items of many callers share a transaction, and each has his own outcome. See docs/adr/0019.
 *
 * - Items of one scope id are never in two transactions at once, and act in the order in which they came.
 * - What somebody else has locked is skipped, and decided in a transaction that waits for it.
 * - A transaction that fails for what one item asked is done again in halves, until that item is alone.
 * - Advances that need no decision of ours go first, in a transaction of one statement.
 */
export class GroupedDecisions implements Decisions {
  private readonly states: LockedStatesRepository;
  private readonly plain: PlainAdvancesRepository;
  private readonly gathering: Gathering<Item, Decided>;

  constructor(states: LockedStatesRepository, plain: PlainAdvancesRepository) {
    this.states = states;
    this.plain = plain;
    this.gathering = new Gathering<Item, Decided>({
      keyOf: ({ unit }) => unit.scopeId,
      run: async (jobs, { patient }) => {
        const rest = patient ? jobs : await this.advancePlain(jobs);
        return rest.length === 0 ? { locked: [], later: [] } : this.run(rest, patient);
      },
      ...limits,
    });
  }

  decide<Result extends HasState>(item: Item<Result>): Promise<Decided<Result>> {
    return this.gathering.submit(item) as Promise<Decided<Result>>;
  }

  advanceAll(advances: readonly Advance[], caller: Caller): Promise<DecidedAll<Advanced>> {
    return this.states.decide(...asWhole(advances, caller), async () => {
      try {
        return await this.plain.advanceAll(advances, caller);
      } catch (error) {
        if (tellsOfOneItem(error)) return undefined;
        throw error;
      }
    });
  }

  /** Settles what the database advances by itself; the others, in their order. */
  private async advancePlain(jobs: readonly DecisionJob[]): Promise<readonly DecisionJob[]> {
    const advances = onlyOnesOfTheirScopes(jobs).flatMap((job) => {
      const { advance, caller } = job.item;
      return advance && !expectsNone(advance) ? [{ job, advance, caller }] : [];
    });
    if (advances.length === 0) return jobs;
    const settled = new Set<DecisionJob>();
    try {
      const done = await this.plain.advance(advances);
      done.forEach((decided, place) => {
        if (decided === undefined) return;
        const { job } = advances[place]!;
        job.resolve(decided);
        settled.add(job);
      });
    } catch (error) {
      if (tellsOfOneItem(error)) return jobs;
      for (const { job } of advances) {
        job.reject(error);
        settled.add(job);
      }
    }
    return settled.size === 0 ? jobs : jobs.filter((job) => !settled.has(job));
  }

  private async run(jobs: readonly DecisionJob[], patient: boolean): Promise<Left> {
    let fates: Fate[];
    try {
      fates = await this.states.decideEach(
        jobs.map(({ item }) => item),
        { patient },
      );
    } catch (error) {
      return this.afterFailure(jobs, patient, error);
    }
    const left = { locked: [] as DecisionJob[], later: [] as DecisionJob[] };
    fates.forEach((fate, place) => {
      const job = jobs[place]!;
      if (typeof fate === 'object') job.resolve(fate);
      else left[fate].push(job);
    });
    return left;
  }

  private async afterFailure(jobs: readonly DecisionJob[], patient: boolean, error: unknown): Promise<Left> {
    const [job, ...others] = jobs;
    if (others.length === 0 && !patient && tellsOfARival(error)) return { locked: [job!], later: [] };
    // Whoever has waited patiently, and in vain, does not begin again.
    if (others.length === 0 || !tellsOfOneItem(error) || (patient && asFault(error) !== error)) {
      for (const each of jobs) each.reject(error);
      return { locked: [], later: [] };
    }
    const middle = jobs.length >> 1;
    const first = await this.run(jobs.slice(0, middle), patient);
    const leftScopes = new Set([...first.locked, ...first.later].map(scopeOf));
    const isFree = (each: DecisionJob) => !leftScopes.has(scopeOf(each));
    const rest = jobs.slice(middle);
    const free = rest.filter(isFree);
    const second = free.length === 0 ? { locked: [], later: [] } : await this.run(free, patient);
    return {
      locked: [...first.locked, ...second.locked],
      later: [...first.later, ...rest.filter((each) => !isFree(each)), ...second.later],
    };
  }
}

/** Those whose scope id no other job has: nothing comes before or after them. */
function onlyOnesOfTheirScopes(jobs: readonly DecisionJob[]): readonly DecisionJob[] {
  const jobsOfScope = Map.groupBy(jobs, scopeOf);
  return jobsOfScope.size === jobs.length
    ? jobs
    : jobs.filter((job) => jobsOfScope.get(scopeOf(job))!.length === 1);
}

function scopeOf({ item }: DecisionJob): string {
  return item.unit.scopeId;
}

/** Connections that it takes at most are `runsAtOnce + patientRunsAtOnce`: a part of the pool's. */
const limits = { runsAtOnce: 2, patientRunsAtOnce: 6, jobsARun: 256, jobsAtMost: 10_000 };
