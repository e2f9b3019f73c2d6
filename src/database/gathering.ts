import { Unavailable } from '../fault.js';
import { longestQueueMillis } from './deadlines.js';

/** One caller's item, and how he is told. */
export interface Job<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Jobs that a run has not settled. */
export interface LeftOver<Item, Result> {
  /** somebody else has locked what they are about */
  readonly locked: readonly Job<Item, Result>[];
  /** they come next */
  readonly later: readonly Job<Item, Result>[];
}

export interface GatheringOptions<Item, Result> {
  /** What jobs have in common that must not be worked on twice at once, and only in their order; undefined: nothing. */
  readonly keyOf: (item: Item) => string | undefined;
  /** Works on many jobs at once and settles each, but those that it leaves over. A patient run waits for locks. */
  readonly run: (
    jobs: readonly Job<Item, Result>[],
    how: { patient: boolean },
  ) => Promise<LeftOver<Item, Result>>;
  readonly runsAtOnce: number;
  readonly patientRunsAtOnce: number;
  readonly jobsARun: number;
  /** beyond that many jobs not settled yet, the next is refused */
  readonly jobsAtMost: number;
  /** who has waited longer than that is told so when its turn comes */
  readonly longestQueueMillis?: number;
}

interface Waiting<Item, Result> extends Job<Item, Result> {
  readonly since: number;
}

/** Jobs of one key, in the order in which they came. */
interface Group<Item, Result> {
  readonly key: string | undefined;
  readonly waiting: Waiting<Item, Result>[];
}

/**
 * Gathers what many callers want while runs are under way, and does it together. Nothing waits while nothing is under
 * way, but for the turn of the event loop to end. A group that somebody else has locked leaves the common runs for a patient run of its own; of these there are only
 * so many at once, and a group that finds no place goes along with the next common run, in case it is free by then.
 */
export class Gathering<Item, Result> {
  private readonly options: GatheringOptions<Item, Result>;
  /** groups with jobs that wait or are in a run */
  private readonly groups = new Map<string, Group<Item, Result>>();
  private ready: Group<Item, Result>[] = [];
  private readonly locked: Group<Item, Result>[] = [];
  private runs = 0;
  private patientRuns = 0;
  private jobs = 0;
  private isAsked = false;

  constructor(options: GatheringOptions<Item, Result>) {
    this.options = options;
  }

  /** @throws Unavailable when too many wait already, or it has waited too long; nothing was done */
  submit(item: Item): Promise<Result> {
    if (this.jobs >= this.options.jobsAtMost) {
      return Promise.reject(
        new Unavailable(`${this.jobs} requests wait for the database already; nothing was done`),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.jobs++;
    let isSettled = false;
    const settled = () => {
      if (!isSettled) this.jobs--;
      isSettled = true;
    };
    this.add({
      item,
      resolve: (result) => (settled(), resolve(result)),
      reject: (error) => (settled(), reject(error)),
      since: performance.now(),
    });
    this.startSoon();
    return promise;
  }

  private add(job: Waiting<Item, Result>): void {
    const key = this.options.keyOf(job.item);
    const known = key === undefined ? undefined : this.groups.get(key);
    if (known) return void known.waiting.push(job);
    const group = { key, waiting: [job] };
    if (key !== undefined) this.groups.set(key, group);
    this.ready.push(group);
  }

  /**
   * What arrives in the same turn of the event loop goes together: a run of the first alone would cost as much as one of
   * all. Where all runs are under way, the next one to end starts.
   */
  private startSoon(): void {
    if (this.isAsked || this.runs >= this.options.runsAtOnce) return;
    this.isAsked = true;
    setImmediate(() => {
      this.isAsked = false;
      this.start();
    });
  }

  private start(): void {
    while (this.runs < this.options.runsAtOnce && this.ready.length > 0) {
      const groups = this.nextGroups();
      this.runs++;
      void this.runTogether(groups).finally(() => {
        this.runs--;
        this.start();
      });
    }
  }

  private nextGroups(): Map<Group<Item, Result>, Waiting<Item, Result>[]> {
    const taken = new Map<Group<Item, Result>, Waiting<Item, Result>[]>();
    let room = this.options.jobsARun;
    let count = 0;
    for (; count < this.ready.length && room > 0; count++) {
      const group = this.ready[count]!;
      const jobs = group.waiting.splice(0, Math.min(room, jobsOfAGroup));
      room -= jobs.length;
      taken.set(group, jobs);
    }
    this.ready = this.ready.slice(count);
    // Each run tries some that were locked, in turn: their number costs the others little.
    for (const group of this.locked.splice(0, Math.min(triesARun, room))) {
      taken.set(group, group.waiting.splice(0, 1));
    }
    return taken;
  }

  private async runTogether(taken: Map<Group<Item, Result>, Waiting<Item, Result>[]>): Promise<void> {
    const left = await this.leftOver([...taken.values()].flat(), false);
    const isLocked = new Set(left.locked);
    const comesLater = new Set([...left.locked, ...left.later]);
    for (const [group, jobs] of taken) {
      group.waiting.unshift(...jobs.filter((job) => comesLater.has(job)));
      if (jobs.some((job) => isLocked.has(job))) this.locked.push(group);
      else this.putBack(group);
    }
    this.startPatiently();
  }

  private startPatiently(): void {
    while (this.patientRuns < this.options.patientRunsAtOnce && this.locked.length > 0) {
      const group = this.locked.shift()!;
      this.patientRuns++;
      void this.runPatiently(group).finally(() => {
        this.patientRuns--;
        this.startPatiently();
        this.start();
      });
    }
  }

  private async runPatiently(group: Group<Item, Result>): Promise<void> {
    const jobs = group.waiting.splice(0, this.options.jobsARun);
    const { locked, later } = await this.leftOver(jobs, true);
    const comesLater = new Set([...locked, ...later]);
    group.waiting.unshift(...jobs.filter((job) => comesLater.has(job)));
    this.putBack(group);
  }

  private putBack(group: Group<Item, Result>): void {
    if (group.waiting.length > 0) this.ready.push(group);
    else if (group.key !== undefined) this.groups.delete(group.key);
  }

  /** A run that fails as a whole fails for each: no caller is left without an answer. */
  private async leftOver(taken: Waiting<Item, Result>[], patient: boolean): Promise<LeftOver<Item, Result>> {
    const jobs = taken.filter((job) => this.isInTime(job));
    if (jobs.length === 0) return { locked: [], later: [] };
    try {
      return await this.options.run(jobs, { patient });
    } catch (error) {
      for (const job of jobs) job.reject(error);
      return { locked: [], later: [] };
    }
  }

  /** Whoever has waited for so long is told now, and does not wait for a run besides. */
  private isInTime({ since, reject }: Waiting<Item, Result>): boolean {
    const waited = performance.now() - since;
    if (waited <= (this.options.longestQueueMillis ?? longestQueueMillis)) return true;
    reject(
      new Unavailable(`waited ${Math.round(waited / 1_000)} seconds for the database; nothing was done`),
    );
    return false;
  }
}

/** Locked groups that a run tries again. */
const triesARun = 16;

/** Of a group that is asked for by many, most may have to come later: they are not carried along each time. */
const jobsOfAGroup = 16;
