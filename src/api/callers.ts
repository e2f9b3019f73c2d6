import type { IncomingMessage } from 'node:http';
import { GraphQLError } from 'graphql';
import type { Limits } from '../config.js';
import { addressKey, TokenBuckets } from './token-bucket.rules.js';

/** By which a caller is counted, as long as nothing but his address is known. */
export function callerKey(request: IncomingMessage): string {
  return addressKey(request.socket.remoteAddress);
}

/** Open subscriptions. */
interface Open {
  count: number;
  /** of memory, about */
  bytes: number;
}

/** What each caller has of the server: his rate and his subscriptions. */
export class Callers {
  private readonly limits: Limits;
  private readonly buckets: TokenBuckets;
  private readonly openOf = new Map<string, Open>();
  private readonly open: Open = { count: 0, bytes: 0 };

  constructor(limits: Limits) {
    this.limits = limits;
    this.buckets = new TokenBuckets(limits.requestsPerSecond, limits.burst);
  }

  /** Counts a request. @returns after how many seconds he may send it, 0 for now */
  waitOf(caller: string): number {
    return this.buckets.take(caller, performance.now());
  }

  rateText(waitSeconds: number): string {
    const { requestsPerSecond, burst } = this.limits;
    return `requests: found more than allowed; allowed: ${requestsPerSecond} a second, ${burst} at once (SCOPESTATE_RATE, SCOPESTATE_RATE_BURST); try again in ${waitSeconds} s`;
  }

  /** Why no subscription of his with so many bytes may begin now, with a code of `RATE_LIMITED`; undefined: it may. */
  subscriptionRefusal(caller: string, bytes = 0): GraphQLError | undefined {
    const { subscriptions, subscriptionsPerCaller, subscriptionBytes } = this.limits;
    const his = this.openOf.get(caller) ?? { count: 0, bytes: 0 };
    const refusal = (found: string, allowed: string) =>
      rateLimited(`subscriptions: found ${found}; allowed: ${allowed}`);
    if (his.count >= subscriptionsPerCaller) {
      return refusal(
        `${his.count} of yours`,
        `${subscriptionsPerCaller} (SCOPESTATE_MAX_SUBSCRIPTIONS_PER_CALLER)`,
      );
    }
    if (this.open.count >= subscriptions) {
      return refusal(`${this.open.count} in all`, `${subscriptions} (SCOPESTATE_MAX_SUBSCRIPTIONS)`);
    }
    const [hisBytes, allBytes] = [his.bytes + bytes, this.open.bytes + bytes];
    const hisShare = Math.floor(subscriptionBytes / 2);
    if (hisBytes > hisShare) {
      return refusal(`${hisBytes} bytes of yours`, `${hisShare} (half of SCOPESTATE_MAX_SUBSCRIPTION_BYTES)`);
    }
    if (allBytes <= subscriptionBytes) return undefined;
    return refusal(`${allBytes} bytes in all`, `${subscriptionBytes} (SCOPESTATE_MAX_SUBSCRIPTION_BYTES)`);
  }

  /** Counts a subscription that begins. @returns what to call at its end, once or more often */
  beginSubscription(caller: string, bytes: number): () => void {
    const his = this.openOf.get(caller) ?? { count: 0, bytes: 0 };
    this.openOf.set(caller, his);
    for (const open of [his, this.open]) {
      open.count++;
      open.bytes += bytes;
    }
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      for (const open of [his, this.open]) {
        open.count--;
        open.bytes -= bytes;
      }
      if (his.count === 0) this.openOf.delete(caller);
    };
  }
}

export function rateLimited(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'RATE_LIMITED' } });
}
