export interface Numbered {
  readonly sequence: bigint;
}

/** Numbers, both ends included. */
export interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

/** Numbers that were not there when a higher one was. */
interface Gap extends Range {
  /** the transactions of which one may still bring them; undefined: not looked for yet */
  readonly holders: ReadonlySet<string> | undefined;
}

export const highestSequence = 2n ** 63n - 1n;

/** So many entries are kept behind a gap; what comes after them is read when it has closed. */
const mostWaiting = 5_000;

/** A transaction that is prepared (two-phase commit) goes on under another name, which begins so. */
const isPrepared = (holder: string) => holder.startsWith('-1/');

/** Those that held before and still do. */
export function stillHeld(before: ReadonlySet<string>, now: readonly string[]): ReadonlySet<string> {
  if (before.size === 0) return before;
  return new Set(now.filter((holder) => before.has(holder) || isPrepared(holder)));
}

/**
 * Puts entries whose numbers become visible out of order into the order of their numbers, and leaves none out.
 *
 * A number that is missing below one that is there was taken by a transaction that had not ended when the entries were
 * read. Whoever takes a number holds a lock from before until its commit can be seen. So the lock's holders, looked for
 * after the reading, are all that can still bring the number; and when they all have ended, one more reading either finds
 * it or it never comes.
 */
export class SequenceOrder<Entry extends Numbered> {
  private seen: bigint;
  private gaps: Gap[] = [];
  private waiting: Entry[] = [];

  /** @param after everything up to it is dealt with */
  constructor(after: bigint) {
    this.seen = after;
  }

  /** Everything up to it was released or never comes. */
  get settled(): bigint {
    return this.gaps[0] ? this.gaps[0].from - 1n : this.seen;
  }

  get newestSeen(): bigint {
    return this.seen;
  }

  get hasGaps(): boolean {
    return this.gaps.length > 0;
  }

  /** Where to look for entries: in ascending order. */
  wanted(): Range[] {
    const ranges: Range[] = this.gaps.map(({ from, to }) => ({ from, to }));
    if (this.waiting.length < mostWaiting) ranges.push({ from: this.seen + 1n, to: highestSequence });
    return ranges;
  }

  /**
   * Takes what was read from `wanted()` in one snapshot, in ascending order.
   * @param isAll whether all was read; else nothing is known about what lies beyond the last one
   */
  take(entries: readonly Entry[], isAll: boolean): void {
    const known = isAll ? highestSequence : (entries.at(-1)?.sequence ?? this.settled);
    const inGaps = entries.filter(({ sequence }) => sequence <= this.seen);
    const beyond = entries.slice(inGaps.length);
    this.gaps = this.gaps.flatMap((gap) => remaining(gap, inGaps, known));
    for (const { sequence } of beyond) {
      if (sequence > this.seen + 1n) {
        this.gaps.push({ from: this.seen + 1n, to: sequence - 1n, holders: undefined });
      }
      this.seen = sequence;
    }
    this.waiting =
      inGaps.length === 0
        ? this.waiting.concat(beyond)
        : [...this.waiting, ...entries].sort((a, b) => (a.sequence < b.sequence ? -1 : 1));
  }

  /**
   * Notes who holds the lock, as found after the reading that was taken last.
   * @returns whether a gap has lost its last holder: then the next reading closes it
   */
  note(holders: readonly string[]): boolean {
    const found = new Set(holders);
    const left = new Map<ReadonlySet<string>, ReadonlySet<string>>();
    this.gaps = this.gaps.map((gap) => {
      if (gap.holders === undefined) return { ...gap, holders: found };
      const held = left.get(gap.holders) ?? stillHeld(gap.holders, holders);
      left.set(gap.holders, held);
      return { ...gap, holders: held };
    });
    return this.gaps.some((gap) => gap.holders!.size === 0);
  }

  /** What nothing can come before any more, in order; each entry once. */
  release(): Entry[] {
    const { settled } = this;
    const kept = this.waiting.findIndex(({ sequence }) => sequence > settled);
    return this.waiting.splice(0, kept < 0 ? this.waiting.length : kept);
  }
}

/** What is left of a gap after a reading that is complete up to `known`. */
function remaining(gap: Gap, entries: readonly Numbered[], known: bigint): Gap[] {
  if (gap.from > known) return [gap];
  const parts: Gap[] = [];
  // Nobody could bring these numbers any more before they were read.
  const isClosed = gap.holders?.size === 0;
  const missing = (from: bigint, to: bigint) => {
    if (from <= to && !isClosed) parts.push({ ...gap, from, to });
  };
  let from = gap.from;
  for (const { sequence } of entries) {
    if (sequence < gap.from || sequence > gap.to) continue;
    missing(from, sequence - 1n);
    from = sequence + 1n;
  }
  const knownTo = gap.to < known ? gap.to : known;
  missing(from, knownTo);
  if (knownTo < gap.to) parts.push({ ...gap, from: knownTo + 1n > from ? knownTo + 1n : from });
  return parts;
}
