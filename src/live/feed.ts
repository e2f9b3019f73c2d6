import { performance } from 'node:perf_hooks';
import type { Database } from '../database/database.js';
import { longestCloseMillis } from '../database/deadlines.js';
import { endConnection } from '../database/end-connection.js';
import type { Client } from '../database/pool.js';
import { asFault } from '../database/faults.js';
import { Unavailable } from '../fault.js';
import { history } from '../history/change-row.sql.js';
import type { Change } from '../history/change.rules.js';
import type { Log } from '../log.js';
import { Bell } from './bell.js';
import type { FeedRepository, Start } from './feed.repository.js';
import { RecentChanges } from './recent-changes.js';
import { SettledPages } from './settled-pages.js';
import { SequenceOrder, stillHeld } from './sequence-order.rules.js';

/** A change that nobody has told of, CloudKitty's for example, is seen after so long. */
const slowMillis = 500;
/** While a number is missing: its transaction may end without a word. */
const gapMillis = 100;
/** Changes that come one after the other are read together. */
const leastMillis = 20;
const reconnectMillis = 500;
/** A reading takes milliseconds; without an answer for so long the connection is made anew. */
const answerMillis = 10_000;
const rowsAtOnce = 1_000;

/** One run of the feed: from a start that it finds itself, over as many connections as it takes. */
export class Following {
  readonly recent = new RecentChanges();
  readonly pages: SettledPages;
  /** settles when every later commit will be seen; fails where there is no database */
  readonly begun: Promise<void>;
  private readonly hasBegun = Promise.withResolvers<void>();
  private readonly database: Database;
  private readonly repository: FeedRepository;
  private readonly log: Log;
  private readonly onNews: () => void;
  private readonly onGoneBack: () => void;
  private readonly isPatient: boolean;
  private readonly bell = new Bell();
  private readonly stopBell = new Bell();
  private readonly running: Promise<void>;
  private client: Client | undefined;
  private start: Start | undefined;
  private course: string | undefined;
  /** until the changes that were late at the start are all there */
  private late: { holders: ReadonlySet<string>; after: bigint } | undefined;
  private order: SequenceOrder<Change> | undefined;
  private isStopped = false;
  private isAsked = false;
  private completed = 0;

  constructor(parts: {
    database: Database;
    repository: FeedRepository;
    log: Log;
    /** there is something new in `recent` */
    onNews: () => void;
    /** the database is an older one than it was: from a backup, or a standby that was behind */
    onGoneBack: () => void;
    /** goes on trying where there is no database at the start */
    isPatient: boolean;
  }) {
    this.database = parts.database;
    this.repository = parts.repository;
    this.log = parts.log;
    this.onNews = parts.onNews;
    this.onGoneBack = parts.onGoneBack;
    this.isPatient = parts.isPatient;
    this.pages = new SettledPages(this.database.pool, this.repository);
    this.begun = this.hasBegun.promise;
    this.begun.catch(() => undefined); // also where nobody waits for it
    this.running = this.run();
  }

  /** how often the history was read to its end */
  get looks(): number {
    return this.completed;
  }

  /** There may be something to read; who asks is told when it was looked for. */
  poke(): void {
    this.isAsked = true;
    this.bell.ring();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.bell.ring();
    this.stopBell.ring();
    // Whatever it waits for would keep the stop waiting as well.
    const tooLate = setTimeout(() => this.client?.connection.stream.destroy(), longestCloseMillis);
    await this.running;
    clearTimeout(tooLate);
  }

  private async run(): Promise<void> {
    while (!this.isStopped) {
      const client = (this.client = this.database.client(answerMillis));
      client.on('error', () => this.bell.ring()); // the next statement fails
      try {
        await client.connect();
        await this.follow(client);
      } catch (error) {
        if (this.isStopped) break;
        if (this.start === undefined && !this.isPatient) {
          this.hasBegun.reject(asFault(error));
          return;
        }
        this.log.warn({ event: 'feed-interrupted', cause: String(error) }, 'live updates: going on soon');
        await this.stopBell.wait(reconnectMillis);
      } finally {
        await endConnection(client);
      }
    }
    this.hasBegun.reject(new Unavailable('the server is stopping'));
  }

  private async follow(client: Client): Promise<void> {
    client.on('notification', () => this.bell.ring());
    await client.query(`listen ${history}`);
    if (this.start === undefined) await this.begin(client);
    else if (await this.hasGoneBack(client)) {
      this.isStopped = true;
      return this.onGoneBack();
    }
    while (!this.isStopped) {
      const lookedAt = performance.now();
      const isMore = this.order ? await this.look(client, this.order) : await this.lookForLate(client);
      if (isMore) continue;
      await this.bell.wait(this.order?.hasGaps === false ? slowMillis : gapMillis);
      const early = leastMillis - (performance.now() - lookedAt);
      if (early > 0 && !this.isStopped) await this.stopBell.wait(early);
    }
  }

  private async begin(client: Client): Promise<void> {
    const start = await this.repository.start(client);
    // Looked for after the start: who took a number before it and is not there has ended, and can be read.
    this.late = { holders: new Set(await this.repository.holders(client)), after: 0n };
    this.course = await this.repository.course(client);
    this.start = start;
    this.hasBegun.resolve();
  }

  private async hasGoneBack(client: Client): Promise<boolean> {
    // A few numbers are lost in a failover, and taken again by other changes.
    if ((await this.repository.course(client)) !== this.course) return true;
    const { pruned, newest } = await this.repository.extent(client);
    const known = this.order?.newestSeen ?? this.start!.newest;
    return newest < known || pruned > (this.recent.settled ?? known);
  }

  /** @returns whether to look again at once */
  private async lookForLate(client: Client): Promise<boolean> {
    const late = this.late!;
    if (late.holders.size > 0) {
      late.holders = stillHeld(late.holders, await this.repository.holders(client));
      if (late.holders.size > 0) return false;
    }
    const changes = await this.repository.late(client, this.start!, late.after, rowsAtOnce);
    this.recent.append(changes);
    if (changes.length === rowsAtOnce) {
      late.after = changes.at(-1)!.sequence;
    } else {
      this.order = new SequenceOrder(this.start!.newest);
      this.recent.settle(this.start!.newest);
    }
    this.onNews();
    return true;
  }

  /** @returns whether to look again at once */
  private async look(client: Client, order: SequenceOrder<Change>): Promise<boolean> {
    const { isAsked } = this;
    this.isAsked = false;
    const changes = await this.repository.inRanges(client, order.wanted(), rowsAtOnce);
    const isAll = changes.length < rowsAtOnce;
    order.take(changes, isAll);
    const isFreed = order.hasGaps && order.note(await this.repository.holders(client));
    const released = order.release();
    const isNews = released.length > 0 || order.settled !== this.recent.settled;
    this.recent.append(released);
    this.recent.settle(order.settled);
    if (isAll) this.completed++;
    if (isNews || isAsked) this.onNews();
    return isFreed || !isAll;
  }
}
