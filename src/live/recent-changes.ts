import type { Change } from '../history/change.rules.js';

/** Enough for a pause of the garbage collector or the network; who needs more reads the table. */
const mostKept = 10_000;

/**
 * The newest changes of the feed, kept once for all subscribers: each has a cursor, so that a slow one holds no memory.
 * Cursors are counted from the feed's start; whoever is behind the oldest change kept finds it in the table only.
 */
export class RecentChanges {
  private changes: Change[] = [];
  private first = 0;
  private completeAfter = 0n;
  private begunAt: bigint | undefined;
  private upTo: bigint | undefined;

  /** Every committed change up to it has been appended or lies before the start; undefined: the feed is starting. */
  get settled(): bigint | undefined {
    return this.upTo;
  }

  /** From it on nothing was left out; before it there is what was late at the start. Undefined: the feed is starting. */
  get begin(): bigint | undefined {
    return this.begunAt;
  }

  /** the cursor of the change that comes next */
  get end(): number {
    return this.first + this.changes.length;
  }

  append(changes: readonly Change[]): void {
    this.changes.push(...changes);
    const excess = this.changes.length - mostKept;
    if (excess <= 0) return;
    const dropped = this.changes.splice(0, excess).at(-1)!;
    this.first += excess;
    if (dropped.sequence > this.completeAfter) this.completeAfter = dropped.sequence;
  }

  settle(upTo: bigint): void {
    this.upTo = upTo;
    if (this.begunAt !== undefined) return;
    this.begunAt = upTo;
    // What lies before the start is in the table only, but for the changes that were late.
    if (upTo > this.completeAfter) this.completeAfter = upTo;
  }

  /** whether the change of that cursor is kept no longer */
  hasLost(cursor: number): boolean {
    return cursor < this.first;
  }

  at(cursor: number): Change | undefined {
    return this.changes[cursor - this.first];
  }

  /** Where to go on after a sequence; undefined where not all that came since is kept. */
  cursorAfter(sequence: bigint): number | undefined {
    if (this.upTo === undefined || sequence < this.completeAfter) return undefined;
    const place = this.changes.findIndex((change) => change.sequence > sequence);
    return place < 0 ? this.end : this.first + place;
  }
}
