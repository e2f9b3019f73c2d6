/** What happened since the last report, in the order in which it is told. */
const events = {
  checked: 'checked',
  BACKFILLED: 'backfilled',
  CREATED: 'created',
  ADVANCED: 'advanced',
  UNCHANGED: 'unchanged (done already)',
  STALE: 'stale (another was faster)',
  REGRESSION: 'regression',
  INACTIVE: 'inactive',
  IN_FUTURE: 'in future',
  FORBIDDEN: 'forbidden',
  unread: 'not read (their source gave no answer)',
  failed: 'requests failed',
} as const;

export type TallyEvent = keyof typeof events;

/** Counts what collectors do. */
export class Tally {
  private readonly counts = new Map<TallyEvent, number>();
  private total = 0;

  add(event: TallyEvent, count = 1): void {
    this.counts.set(event, (this.counts.get(event) ?? 0) + count);
    if (event === 'ADVANCED' || event === 'CREATED') this.total += count;
  }

  /** Plain text of one line; the next one starts from zero. */
  report(): string {
    const told = Object.entries(events).flatMap(([event, words]) => {
      const count = this.counts.get(event as TallyEvent) ?? 0;
      return count > 0 ? [`${count} ${words}`] : [];
    });
    this.counts.clear();
    return `${told.join(', ') || 'nothing to do'}; ${this.total} advances so far`;
  }
}
