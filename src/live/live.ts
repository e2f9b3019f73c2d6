import type { CallContext } from '../caller/caller.js';
import type { Database } from '../database/database.js';
import type { Log } from '../log.js';
import { FeedKeeper } from './feed-keeper.js';
import { FeedRepository } from './feed.repository.js';
import { scopeStateEvents } from './live.resolver.js';
import { LiveService, type SubscriptionWanted } from './live.service.js';
import { Notifier } from './notifier.js';

/** Live updates of one server. */
export interface Live {
  /** what the schema's subscriptions read, by topic */
  readonly streams: ReadonlyMap<
    string,
    (args: SubscriptionWanted, context: CallContext) => Promise<AsyncIterable<unknown>>
  >;
  /** This server has committed a change: its own subscribers, and those of the others, need not wait for the slow look. */
  poke(): void;
  stop(): Promise<void>;
}

/** Connects to nothing yet: the feed runs while there are subscribers. */
export function openLive(database: Database, log: Log): Live {
  const repository = new FeedRepository();
  const keeper = new FeedKeeper(database, repository, log);
  const notifier = new Notifier(database.pool);
  const service = new LiveService(database, repository, keeper);
  return {
    streams: new Map([
      [
        scopeStateEvents,
        (args: SubscriptionWanted, { grants }: CallContext) => service.changes(args, grants),
      ],
    ]),
    poke: () => {
      keeper.poke();
      notifier.poke();
    },
    stop: () => keeper.stop(),
  };
}
