/** Beyond so many callers, the one who has been silent longest is forgotten: he starts with a full bucket again. */
const mostCallers = 10_000;

interface Bucket {
  tokens: number;
  atMillis: number;
}

/** A bucket of tokens a caller: a request takes one, and so many come back a second. */
export class TokenBuckets {
  private readonly perSecond: number;
  private readonly burst: number;
  /** the one that was used last comes last */
  private readonly buckets = new Map<string, Bucket>();
  private latest: string | undefined;

  constructor(perSecond: number, burst: number) {
    this.perSecond = perSecond;
    this.burst = burst;
  }

  /**
   * Takes a token of this caller's.
   *
   * @returns in how many whole seconds there will be one, 0 if it was taken
   */
  take(caller: string, nowMillis: number): number {
    if (this.perSecond === 0) return 0;
    const bucket = this.buckets.get(caller);
    const tokens = bucket
      ? Math.min(this.burst, bucket.tokens + ((nowMillis - bucket.atMillis) / 1_000) * this.perSecond)
      : this.burst;
    const isEnough = tokens >= 1;
    if (caller !== this.latest) this.buckets.delete(caller);
    this.latest = caller;
    this.buckets.set(caller, { tokens: isEnough ? tokens - 1 : tokens, atMillis: nowMillis });
    if (this.buckets.size > mostCallers) this.buckets.delete(this.buckets.keys().next().value!);
    return isEnough ? 0 : Math.max(1, Math.ceil((1 - tokens) / this.perSecond));
  }
}

/** Who shares a bucket with whom, where nothing but the address is known: an IPv6 subscriber has a whole /64. */
export function addressKey(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('%', 1)[0]!.toLowerCase().split('::');
  const groupsOf = (text: string) => (text === '' ? [] : text.split(':'));
  const first = groupsOf(head);
  const last = tail === undefined ? [] : groupsOf(tail);
  const gap = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const groups = [...first, ...Array.from({ length: gap }, () => '0'), ...last];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
