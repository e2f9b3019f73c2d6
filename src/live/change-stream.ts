import type { Change, ChangeKind } from '../history/change.rules.js';
import type { ShownState } from '../scope-state/scope-state.rules.js';
import { Bell } from './bell.js';
import type { FeedKeeper } from './feed-keeper.js';
import type { Pace } from './pace.js';
import type { RecentChanges } from './recent-changes.js';
import type { SettledPages } from './settled-pages.js';

/** What a subscriber is sent: a change, or that it has to load everything anew. */
export interface ScopeStateEvent {
  readonly kind: ChangeKind | 'RESYNC';
  readonly sequence: bigint;
  readonly change: Change | undefined;
}

export interface StreamParts {
  keeper: FeedKeeper;
  recent: RecentChanges;
  pages: SettledPages;
  pace: Pace;
  bell: Bell;
  /** the change as the subscriber may see it; undefined: not at all */
  see: (change: Change) => Change | undefined;
  fits: (state: ShownState) => boolean;
  /** where to go on; undefined: with what comes from now on */
  after: bigint | undefined;
  /** whether only a RESYNC is to be sent */
  isLost: boolean;
}

/** So many changes of others are passed by in one step: about the work of sending one. */
const passedAtOnce = 200;
const retryMillis = 500;
/** Who can't keep up may fall so many numbers behind: one operation on a million states is no reason to reload. */
const mostBehind = 1_000_000n;

/**
 * The changes of one subscriber, taken as it asks for them: from the table until it has caught up, then from what the
 * feed keeps; and from the table again, when that has gone on without it. Written by hand, for an `async function*`
 * that waits can't be ended.
 */
export class ChangeStream implements AsyncIterableIterator<ScopeStateEvent> {
  private readonly parts: StreamParts;
  /** place in `recent`; undefined: it is still catching up after `after` */
  private cursor: number | undefined;
  /** everything up to it was sent, or is not wanted */
  private after: bigint;
  private readAhead: Change[] = [];
  /** whether it is catching up because it was too slow, and not because it was away */
  private isSlow = false;
  /** how often the feed must have looked before a RESYNC can say where to go on; undefined: nothing was missed */
  private lostUntil: number | undefined;
  private isEnded = false;

  constructor(parts: StreamParts) {
    this.parts = parts;
    this.cursor = parts.after === undefined ? parts.recent.end : undefined;
    this.after = parts.after ?? parts.recent.settled ?? 0n;
    if (parts.isLost) this.lose();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<ScopeStateEvent, undefined>> {
    while (!this.isEnded) {
      await this.parts.pace.step();
      if (this.isEnded) break;
      const found = this.lostUntil !== undefined ? this.resync(this.lostUntil) : await this.change();
      if (found === 'more') continue;
      if (found !== undefined && !this.isEnded) {
        if (found.kind === 'RESYNC') this.end();
        return { done: false, value: found };
      }
      if (!this.isEnded) await this.parts.bell.wait();
    }
    return { done: true, value: undefined };
  }

  return(): Promise<IteratorResult<ScopeStateEvent, undefined>> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  private end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.readAhead = [];
    this.parts.keeper.leave(this.parts.bell);
    this.parts.bell.ring(); // a pending next() ends with it
  }

  /** @returns undefined where there is nothing now */
  private async change(): Promise<ScopeStateEvent | 'more' | undefined> {
    const { recent, keeper } = this.parts;
    if (recent !== keeper.recent) return this.lose();
    return this.cursor === undefined ? await this.catchUp() : this.live(this.cursor);
  }

  private lose(): 'more' {
    const { keeper } = this.parts;
    this.lostUntil = keeper.looks + 2; // the look that is going on may have begun before
    keeper.poke();
    return 'more';
  }

  private live(cursor: number): ScopeStateEvent | 'more' | undefined {
    const { recent } = this.parts;
    if (recent.hasLost(cursor)) return this.fallBehind();
    const end = Math.min(recent.end, cursor + passedAtOnce);
    for (let place = cursor; place < end; place++) {
      const change = recent.at(place)!;
      const event = this.eventOf(change);
      this.reach(change.sequence);
      if (event === undefined) continue;
      this.cursor = place + 1;
      return event;
    }
    this.cursor = end;
    if (end < recent.end) return 'more';
    this.reach(recent.settled ?? 0n);
    return undefined;
  }

  private reach(sequence: bigint): void {
    if (sequence > this.after) this.after = sequence;
  }

  private fallBehind(): 'more' {
    const { begin } = this.parts.recent;
    // Of what was late at the feed's start the table can't tell what this subscriber is to see.
    if (begin === undefined || this.after < begin) return this.lose();
    this.cursor = undefined;
    this.isSlow = true;
    return 'more';
  }

  private async catchUp(): Promise<ScopeStateEvent | 'more' | undefined> {
    for (let change = this.readAhead.shift(); change; change = this.readAhead.shift()) {
      this.after = change.sequence;
      const event = this.eventOf(change, -1n);
      if (event) return event;
    }
    const { recent } = this.parts;
    if (recent.settled === undefined) return undefined;
    this.cursor = this.after >= recent.settled ? recent.end : recent.cursorAfter(this.after);
    if (this.cursor === undefined) {
      if (this.isSlow && recent.settled - this.after > mostBehind) return this.lose();
      return await this.readOn(recent.settled);
    }
    this.isSlow = false;
    return 'more';
  }

  private async readOn(upTo: bigint): Promise<'more'> {
    const { pages, bell } = this.parts;
    try {
      const page = await pages.read(this.after, upTo);
      if (page === undefined) return this.lose();
      this.readAhead = page.changes.filter(({ sequence }) => sequence > this.after);
      if (this.readAhead.length === 0) this.after = page.upTo;
    } catch {
      await bell.wait(retryMillis); // the pool has said why, to those who ask it for states
    }
    return 'more';
  }

  /** What is sent of it, if the state was one of the subscriber's before or is one after, and it was not sent yet. */
  private eventOf(made: Change, sent = this.after): ScopeStateEvent | undefined {
    if (made.sequence <= sent) return undefined;
    const { see, fits } = this.parts;
    // First what may be seen, then the filter: which change it lets through would tell of what is hidden.
    const change = see(made);
    if (change === undefined) return undefined;
    const { kind, sequence, before, after } = change;
    const isWanted = (before !== undefined && fits(before)) || (after !== undefined && fits(after));
    return isWanted ? { kind, sequence, change } : undefined;
  }

  /** The last event: with a sequence up to which everything can be seen, and that is not older than the asking. */
  private resync(looks: number): ScopeStateEvent | undefined {
    const { keeper } = this.parts;
    const settled = keeper.recent?.settled;
    if (settled === undefined || keeper.looks < looks) {
      keeper.poke();
      return undefined;
    }
    return { kind: 'RESYNC', sequence: settled, change: undefined };
  }
}
