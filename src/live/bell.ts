/** Wakes whoever waits for it. A ring that nobody waits for is kept for the next one who does. */
export class Bell {
  private hasRung = false;
  private hear: (() => void) | undefined;

  ring(): void {
    this.hasRung = true;
    this.hear?.();
  }

  /** Until it rings, or so long. */
  async wait(longestMillis?: number): Promise<void> {
    if (!this.hasRung) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = longestMillis === undefined ? undefined : setTimeout(resolve, longestMillis);
      this.hear = resolve;
      await promise;
      clearTimeout(timer);
    }
    this.hasRung = false;
    this.hear = undefined;
  }
}
