import { withinCloseTime } from '../database/close-time.js';
import { OperatorError } from '../fault.js';
import type { Log } from '../log.js';
import type { Prunable, PruneRepository } from './prune.repository.js';

/** Often enough that a year's history of a large cloud never has many batches to go. */
const pauseMillis = 3_600_000;

/** Keeps the history from growing for ever. */
export class PruneService {
  private readonly repository: PruneRepository;
  private readonly retention: Temporal.Duration;

  constructor(repository: PruneRepository, retention: Temporal.Duration) {
    this.repository = repository;
    this.retention = retention;
  }

  /** What would be pruned now. */
  prunable(): Promise<Prunable> {
    return this.repository.prunable(this.retention);
  }

  /** @throws OperatorError where the database role may not prune */
  async requireRight(): Promise<void> {
    const { name, mayPrune } = await this.repository.owner();
    if (mayPrune) return;
    throw new OperatorError(
      `the database user may not prune the history, which belongs to another role, ${name}: ` +
        'run "scopestate history prune" with the DATABASE_URL of a user who is a member of it',
    );
  }

  /**
   * Batch after batch until nothing is too old, or `signal` says that it is enough. How many entries it took.
   *
   * @throws OperatorError where the database role may not
   */
  async prune(signal: AbortSignal): Promise<number> {
    await this.requireRight();
    let total = 0;
    let after: bigint | undefined;
    while (!signal.aborted) {
      const { pruned, upTo, isLast } = await this.repository.pruneBatch(this.retention, after);
      total += pruned;
      after = upTo;
      if (isLast) break;
    }
    return total;
  }

  /** Now and every hour, until stopped: a batch then has a second to end. A failure is logged, and the next time may go well. */
  start(log: Log): { stop: () => Promise<void> } {
    const stopping = new AbortController();
    let running: Promise<void> | undefined;
    const run = () => {
      // The first time after years may take longer than until the next.
      running ??= this.prune(stopping.signal)
        .then(
          (pruned) => {
            if (pruned > 0)
              log.info({ event: 'history-pruned', pruned }, 'old entries of the history pruned');
          },
          (error: unknown) => {
            if (stopping.signal.aborted) return; // its connection was ended, and the batch with it
            if (error instanceof OperatorError) log.info({ event: 'history-not-pruned' }, error.message);
            else log.warn({ event: 'history-not-pruned', err: error }, 'the history could not be pruned');
          },
        )
        .finally(() => {
          running = undefined;
        });
    };
    run();
    const timer = setInterval(run, pauseMillis).unref();
    return {
      stop: () => {
        clearInterval(timer);
        stopping.abort();
        return withinCloseTime(running);
      },
    };
  }
}
