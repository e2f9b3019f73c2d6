import type { IncomingMessage } from 'node:http';
import { GraphQLError } from 'graphql';
import type { Limits } from '../config.js';
import { addressKey, TokenBuckets } from './token-bucket.rules.js';

/** By which a caller is counted, as long as nothing but his address is known. */
export function callerKey(request: IncomingMessage): string {
  return addressKey(request.socket.remoteAddress);
}

/** What each caller has of the server: his rate and his subscriptions. */
export class Callers {
  private readonly limits: Limits;
  private readonly buckets: TokenBuckets;
  private readonly subscriptions = new Map<string, number>();
  private open = 0;

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

  /** Why no subscription of his may begin now, with a code of `RATE_LIMITED`; undefined: one may. */
  subscriptionRefusal(caller: string): GraphQLError | undefined {
    const { subscriptions, subscriptionsPerCaller } = this.limits;
    const his = this.subscriptions.get(caller) ?? 0;
    if (his >= subscriptionsPerCaller) {
      return rateLimited(
        `subscriptions: found ${his} of yours; allowed: ${subscriptionsPerCaller} (SCOPESTATE_MAX_SUBSCRIPTIONS_PER_CALLER)`,
      );
    }
    if (this.open < subscriptions) return undefined;
    return rateLimited(
      `subscriptions: found ${this.open} in all; allowed: ${subscriptions} (SCOPESTATE_MAX_SUBSCRIPTIONS)`,
    );
  }

  /** Counts a subscription that begins. @returns what to call at its end, once or more often */
  beginSubscription(caller: string): () => void {
    this.open++;
    this.subscriptions.set(caller, (this.subscriptions.get(caller) ?? 0) + 1);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      this.open--;
      const left = this.subscriptions.get(caller)! - 1;
      if (left > 0) this.subscriptions.set(caller, left);
      else this.subscriptions.delete(caller);
    };
  }
}

export function rateLimited(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'RATE_LIMITED' } });
}
