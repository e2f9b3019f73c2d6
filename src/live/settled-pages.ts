import type { Pool } from '../database/pool.js';
import type { Change } from '../history/change.rules.js';
import type { FeedRepository } from './feed.repository.js';

/** Settled changes that follow each other in the table. */
export interface SettledPage {
  /** it has what comes after it */
  readonly after: bigint;
  /** and all up to this one */
  readonly upTo: bigint;
  readonly changes: readonly Change[];
}

/** What a subscriber that reads slowly holds in memory, at most. */
const rowsAtOnce = 100;
/** The pool is there for requests: what they would wait behind must be short, however many subscribers come back. */
const readsAtOnce = 4;
/** Who was away at the same time as others asks for the same pages: a MiB or two. */
const pagesKept = 20;

interface Waiting {
  /** undefined: it does not wait for a page */
  readonly after: bigint | undefined;
  /** with the page that it waits for, which another has read; else it is its turn to read */
  readonly go: (page: SettledPage | undefined) => void;
}

/**
 * Reads for subscribers that come back, or were left behind: so many at a time, in the order in which they came. A page goes
 * to all that wait for it, and the last ones are kept for those who come next. That can't become wrong: settled changes are
 * what they are. Pages begin at whole hundreds, so that those who are not quite as far behind each other want the same ones.
 */
export class SettledPages {
  private readonly pool: Pool;
  private readonly repository: FeedRepository;
  private readonly pages: SettledPage[] = [];
  /** by where they begin */
  private readonly reading = new Map<bigint, Promise<SettledPage | undefined>>();
  private waiting: Waiting[] = [];
  private reads = 0;

  constructor(pool: Pool, repository: FeedRepository) {
    this.pool = pool;
    this.repository = repository;
  }

  /**
   * A page with what comes next after a change, and perhaps some before it, looked for up to another change; undefined where
   * some were pruned.
   */
  async read(after: bigint, upTo: bigint): Promise<SettledPage | undefined> {
    const kept = this.pages.find((page) => isIn(page, after));
    if (kept) return kept;
    const given = await this.turn(after);
    if (given) return given;
    try {
      return await this.load(after, upTo);
    } finally {
      this.handOn();
    }
  }

  /** Does something else that asks the database for a subscriber, in its turn. */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    await this.turn();
    try {
      return await work();
    } finally {
      this.handOn();
    }
  }

  private async turn(after?: bigint): Promise<SettledPage | undefined> {
    if (this.reads < readsAtOnce) {
      this.reads++;
      return undefined;
    }
    const { promise, resolve } = Promise.withResolvers<SettledPage | undefined>();
    this.waiting.push({ after, go: resolve });
    return promise;
  }

  private handOn(): void {
    const next = this.waiting.shift();
    if (next) next.go(undefined);
    else this.reads--;
  }

  private async load(after: bigint, upTo: bigint): Promise<SettledPage | undefined> {
    const shared = await this.pageFrom(after - (after % BigInt(rowsAtOnce)), upTo);
    if (shared && isIn(shared, after)) return shared;
    const own = await this.pageAfter(after, upTo);
    return own && this.keep(own);
  }

  /** Whoever wants a page that another is reading waits for that one. */
  private pageFrom(start: bigint, upTo: bigint): Promise<SettledPage | undefined> {
    const underWay = this.reading.get(start);
    if (underWay) return underWay;
    const reading = this.pageAfter(start, upTo)
      .then((page) => page && this.keep(page))
      .finally(() => this.reading.delete(start));
    this.reading.set(start, reading);
    return reading;
  }

  /** For those who come next, and for all who wait for it. */
  private keep(page: SettledPage): SettledPage {
    this.pages.push(page);
    if (this.pages.length > pagesKept) this.pages.shift();
    this.waiting = this.waiting.filter(({ after: place, go }) => {
      const isServed = place !== undefined && isIn(page, place);
      if (isServed) go(page);
      return !isServed;
    });
    return page;
  }

  private async pageAfter(after: bigint, upTo: bigint): Promise<SettledPage | undefined> {
    const changes = await this.repository.between(this.pool, after, upTo, rowsAtOnce);
    if (changes === undefined) return undefined;
    const last = changes.at(-1)?.sequence;
    if (changes.length < rowsAtOnce || last === undefined) return { after, upTo, changes };
    // A hundred changes take a hundred numbers at least: so there is a whole hundred among them, to end at.
    const end = last - (last % BigInt(rowsAtOnce));
    return { after, upTo: end, changes: changes.filter(({ sequence }) => sequence <= end) };
  }
}

function isIn(page: SettledPage, after: bigint): boolean {
  return page.after <= after && after < page.upTo;
}
