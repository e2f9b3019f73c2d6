import { setTimeout as delay } from 'node:timers/promises';
import type { OperatorError } from '../../fault.js';
import {
  claimPostmaster,
  type Again,
  type ClaimedPostmaster,
  type ClaimRequest,
} from './claim-postmaster.js';
import { OwnedByAnother } from './ownership.js';
import { stopOwn } from './spawn-postmaster.js';

/** Between two starts that come to nothing, or that end again soon: a full disk or a taken port needs its time. */
const pauseMilliseconds = 1_000;

/**
 * Keeps the claimed postmaster of a data folder running: one that ends by itself (crashed, killed) is started again, on
 * the same port, so that whoever has its URL finds it again. Tried until it comes or `stop` is called.
 */
export class PostmasterKeeper {
  /** settles when the folder has become another server's: then this one must not go on */
  readonly lost: Promise<OperatorError>;
  private readonly request: ClaimRequest & { again: Again };
  private readonly stopping = new AbortController();
  private readonly loss = Promise.withResolvers<OperatorError>();
  private current: ClaimedPostmaster | undefined;
  private restarting: Promise<void> = Promise.resolve();
  private stopped: Promise<void> | undefined;

  constructor(claimed: ClaimedPostmaster, request: ClaimRequest) {
    const { login, runAs, systemIdentifier } = claimed;
    const again = { port: login.port, runAs, systemIdentifier, signal: this.stopping.signal };
    this.request = { ...request, again };
    this.lost = this.loss.promise;
    this.keep(claimed);
  }

  /** Fast shutdown, also in the middle of a restart; resolves when the postmaster has gone. */
  stop(): Promise<void> {
    return (this.stopped ??= this.end());
  }

  private async end(): Promise<void> {
    this.stopping.abort();
    await this.restarting;
    if (this.current) await release(this.current, this.request);
  }

  private keep(claimed: ClaimedPostmaster): void {
    this.current = claimed;
    const startedAt = performance.now();
    void endOf(claimed).then(() => {
      if (this.stopping.signal.aborted) return;
      const { log } = this.request;
      log.error(
        { event: 'postgres-ended', postmasterPid: claimed.postmaster.pid },
        'the embedded PostgreSQL has ended; starting it again',
      );
      this.current = undefined;
      const endedSoon = performance.now() - startedAt < pauseMilliseconds;
      this.restarting = claimed.ownership.close().then(() => this.restart(endedSoon));
    });
  }

  private async restart(afterPause: boolean): Promise<void> {
    const { log, again } = this.request;
    let told: string | undefined;
    for (let wait = afterPause; !this.stopping.signal.aborted; wait = true) {
      try {
        if (wait) await delay(pauseMilliseconds, undefined, { signal: again.signal });
        const claimed = await claimPostmaster(this.request);
        log.info(
          { event: 'postgres-restarted', postmasterPid: claimed.postmaster.pid },
          'the embedded PostgreSQL is ready again',
        );
        return this.keep(claimed);
      } catch (error) {
        if (error instanceof OwnedByAnother) return this.loss.resolve(error);
        const reason = error instanceof Error ? error.message : String(error);
        if (this.stopping.signal.aborted || reason === told) continue;
        log.error({ event: 'postgres-restart-failed' }, `${reason}; trying again and again`);
        told = reason;
      }
    }
  }
}

function endOf({ ownership, postmaster }: ClaimedPostmaster): Promise<void> {
  return Promise.race([ownership.lost, ...(postmaster.ended ? [postmaster.ended] : [])]);
}

/** Stops the postmaster, unless another server owns it by now. The lock is held until it has gone. */
export async function release(
  { postmaster, ownership }: ClaimedPostmaster,
  { log }: Pick<ClaimRequest, 'log'>,
): Promise<void> {
  try {
    if (ownership.giveUp()) await stopOwn(postmaster, log);
  } finally {
    await ownership.close();
  }
}
