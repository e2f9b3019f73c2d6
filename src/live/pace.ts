/** Some milliseconds of work: requests, signs of life and the feed itself come between. */
const stepsATurn = 64;

/**
 * Lets a server's subscribers share the event loop with everything else. A promise that is settled already does not let go
 * of it: without this, thousands of changes for hundreds of subscribers would be one turn of many seconds. Whoever waits
 * goes in the order in which he came.
 */
export class Pace {
  private left = stepsATurn;
  private readonly waiting: (() => void)[] = [];
  private isAsked = false;

  /** Settles when there is time for one more step: the sending of one event, or as much work. */
  step(): Promise<void> {
    this.askForTurn();
    if (this.left > 0) {
      this.left--;
      return Promise.resolve();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.waiting.push(resolve);
    return promise;
  }

  private askForTurn(): void {
    if (this.isAsked) return;
    this.isAsked = true;
    setImmediate(() => {
      this.isAsked = false;
      const next = this.waiting.splice(0, stepsATurn);
      this.left = stepsATurn - next.length;
      for (const resolve of next) resolve();
      if (this.waiting.length > 0) this.askForTurn();
    });
  }
}
