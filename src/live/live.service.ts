import type { Database } from '../database/database.js';
import { BadInput, quoted } from '../fault.js';
import type { Grants } from '../caller/grant.rules.js';
import { seenWith } from '../history/change.rules.js';
import { checkFilter, fitOf, type ScopeStateFilter } from '../scope-state/filter.rules.js';
import { Bell } from './bell.js';
import { ChangeStream, type ScopeStateEvent } from './change-stream.js';
import type { FeedKeeper } from './feed-keeper.js';
import type { FeedRepository } from './feed.repository.js';
import { Pace } from './pace.js';
import { highestSequence } from './sequence-order.rules.js';

export interface SubscriptionWanted {
  filter?: ScopeStateFilter | null;
  afterSequence?: string | null;
}

export class LiveService {
  private readonly database: Database;
  private readonly repository: FeedRepository;
  private readonly keeper: FeedKeeper;
  private readonly pace = new Pace();

  constructor(database: Database, repository: FeedRepository, keeper: FeedKeeper) {
    this.database = database;
    this.repository = repository;
    this.keeper = keeper;
  }

  /**
   * What is committed from now on, or all that came after a sequence; ends when its reader ends it.
   * @throws BadInput | Unavailable
   */
  async changes(
    { filter, afterSequence }: SubscriptionWanted,
    grants: Grants,
  ): Promise<AsyncIterableIterator<ScopeStateEvent>> {
    checkFilter(filter ?? {}, 'filter');
    const after = readSequence(afterSequence ?? undefined);
    const { keeper, pace } = this;
    const bell = new Bell();
    const { recent, pages } = await keeper.join(bell);
    try {
      const isLost = after !== undefined && (await pages.inTurn(() => this.hasLost(after)));
      return new ChangeStream({
        keeper,
        recent,
        pages,
        pace,
        bell,
        see: seenWith(grants),
        fits: fitOf(filter ?? {}),
        after,
        isLost,
      });
    } catch (error) {
      keeper.leave(bell);
      throw error;
    }
  }

  /** Whether it can't be known what came after it. */
  private async hasLost(after: bigint): Promise<boolean> {
    const { pruned, newest } = await this.repository.extent(this.database.pool);
    return after < pruned || after > newest;
  }
}

function readSequence(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  const sequence = /^\d{1,19}$/.test(text) ? BigInt(text) : -1n;
  if (sequence < 0n || sequence > highestSequence) {
    throw new BadInput(
      'afterSequence',
      quoted(text),
      `the sequence of an event: a whole number from 0 to ${highestSequence}`,
    );
  }
  return sequence;
}
