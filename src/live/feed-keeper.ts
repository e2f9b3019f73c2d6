import type { Database } from '../database/database.js';
import type { Log } from '../log.js';
import type { Bell } from './bell.js';
import { Following } from './feed.js';
import type { FeedRepository } from './feed.repository.js';
import type { RecentChanges } from './recent-changes.js';

/** Who loses the connection comes back within so long: the feed need not start anew for that. */
const lingerMillis = 5_000;

/** The server's one feed: runs while there are subscribers. */
export class FeedKeeper {
  private readonly database: Database;
  private readonly repository: FeedRepository;
  private readonly log: Log;
  private readonly listeners = new Set<Bell>();
  private following: Following | undefined;
  private stopping: Promise<void> = Promise.resolve();
  private linger: NodeJS.Timeout | undefined;
  private isStopped = false;

  constructor(database: Database, repository: FeedRepository, log: Log) {
    this.database = database;
    this.repository = repository;
    this.log = log;
  }

  /** What the feed keeps now; another one than before: the database has gone back, and nobody knows what was missed. */
  get recent(): RecentChanges | undefined {
    return this.following?.recent;
  }

  /** How often the feed has read all there was: what was committed before such a look began is seen by it. */
  get looks(): number {
    return this.following?.looks ?? 0;
  }

  /**
   * Every commit from now on will be in its `recent`; `bell` rings when there is something new in it.
   * @throws Unavailable
   */
  async join(bell: Bell): Promise<Following> {
    clearTimeout(this.linger);
    this.listeners.add(bell);
    const following = (this.following ??= this.follow());
    try {
      await following.begun;
      return following;
    } catch (error) {
      if (this.following === following) this.following = undefined;
      this.leave(bell);
      throw error;
    }
  }

  leave(bell: Bell): void {
    this.listeners.delete(bell);
    if (this.listeners.size > 0 || this.isStopped) return;
    clearTimeout(this.linger);
    this.linger = setTimeout(() => this.rest(), lingerMillis).unref();
  }

  /** There may be something to read. */
  poke(): void {
    this.following?.poke();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.linger);
    this.rest();
    this.ringAll();
    await this.stopping;
  }

  private rest(): void {
    const { following } = this;
    this.following = undefined;
    if (following) this.stopping = Promise.all([this.stopping, following.stop()]).then(() => undefined);
  }

  private follow(isPatient = false): Following {
    return new Following({
      database: this.database,
      repository: this.repository,
      log: this.log,
      isPatient,
      onNews: () => this.ringAll(),
      onGoneBack: () => {
        this.log.warn(
          { event: 'feed-restarted' },
          'live updates: the history is an older one than before; all subscribers are told to reload',
        );
        this.following = this.follow(true);
        this.ringAll();
      },
    });
  }

  private ringAll(): void {
    for (const bell of this.listeners) bell.ring();
  }
}
