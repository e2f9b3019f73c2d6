import { afterEach, beforeEach } from '@jest/globals';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { until } from './until.js';

export interface Event {
  sequence: string;
  kind: string;
  scopeStateId: string | null;
  changedAt: string | null;
  scopeState: {
    scopeId: string;
    collector: string | null;
    lastProcessedTimestamp: string;
    active: boolean;
    version: number;
  } | null;
}

export interface SubscriptionWanted extends Record<string, unknown> {
  filter?: Record<string, unknown>;
  afterSequence?: string;
}

export const subscription = /* GraphQL */ `
  subscription ($filter: ScopeStateFilter, $afterSequence: String) {
    scopeStateChanged(filter: $filter, afterSequence: $afterSequence) {
      sequence
      kind
      scopeStateId
      changedAt
      scopeState {
        scopeId
        collector
        lastProcessedTimestamp
        active
        version
      }
    }
  }
`;

export const beyondAll = '9223372036854775807';

/** One subscription over a WebSocket of its own. */
export interface Subscriber {
  readonly events: Event[];
  readonly errors: unknown[];
  /** settles when the server has completed it, it failed, or it was stopped */
  readonly ended: Promise<void>;
  /** Until there are so many events, or one is of this kind. */
  saw(wanted: number | string): Promise<Event[]>;
  stop(): Promise<void>;
}

export function openSubscriber(
  url: string,
  variables: SubscriptionWanted = {},
  take: (event: Event) => void = () => undefined,
): Subscriber {
  const client = newClient(url);
  const events: Event[] = [];
  const errors: unknown[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  client.subscribe<{ scopeStateChanged: Event }>(
    { query: subscription, variables },
    {
      next: ({ data, errors: faults }) => {
        if (faults) errors.push(...faults);
        if (!data) return;
        events.push(data.scopeStateChanged);
        take(data.scopeStateChanged);
      },
      error: (error) => {
        errors.push(error);
        resolve();
      },
      complete: resolve,
    },
  );
  const isThere = (wanted: number | string) =>
    typeof wanted === 'number' ? events.length >= wanted : events.some(({ kind }) => kind === wanted);
  return {
    events,
    errors,
    ended,
    saw: async (wanted) => {
      await until(`${wanted} events`, () => {
        if (errors.length > 0) throw new Error(JSON.stringify(errors));
        return isThere(wanted);
      });
      return events;
    },
    stop: async () => {
      await client.dispose();
      await ended;
    },
  };
}

export function newClient(url: string, token?: string): Client {
  return createClient({
    url: url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    ...(token !== undefined && { connectionParams: { authorization: `Bearer ${token}` } }),
  });
}

/** A sequence of which everything up to it can be seen: where a list and a subscription meet without a gap. */
export async function presentSequence(url: string): Promise<string> {
  const subscriber = openSubscriber(url, { afterSequence: beyondAll });
  const [resync] = await subscriber.saw('RESYNC');
  await subscriber.stop();
  return resync!.sequence;
}

/** Opens subscribers for the tests of a file; each is stopped when its test ends. */
export function useSubscribers(): (url: string, wanted?: SubscriptionWanted) => Subscriber {
  let open: Subscriber[] = [];
  beforeEach(() => {
    open = [];
  });
  afterEach(() => Promise.all(open.map((subscriber) => subscriber.stop())));
  return (url, wanted = {}) => {
    const subscriber = openSubscriber(url, wanted);
    open.push(subscriber);
    return subscriber;
  };
}
