import pLimit, { type LimitFunction } from 'p-limit';
import { Unavailable } from '../fault.js';

export interface LineOptions {
  readonly atOnce: number;
  readonly mostWaiting: number;
  /** who has waited longer than that is told so when its turn comes */
  readonly longestWaitMillis: number;
}

/** Those who stand in it take turns: so many at once, in the order in which they came. */
export class Line {
  private readonly options: LineOptions;
  private readonly places: LimitFunction;

  constructor(options: LineOptions) {
    this.options = options;
    this.places = pLimit(options.atOnce);
  }

  /** @throws Unavailable when too many stand in it already, or it has taken too long; nothing was done */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    const waiting = this.places.pendingCount;
    if (waiting >= this.options.mostWaiting) {
      throw new Unavailable(`${waiting} requests wait for the database already; nothing was done`);
    }
    const since = performance.now();
    return this.places(() => {
      const waited = performance.now() - since;
      if (waited <= this.options.longestWaitMillis) return work();
      throw new Unavailable(
        `waited ${Math.round(waited / 1_000)} seconds for the database; nothing was done`,
      );
    });
  }
}
