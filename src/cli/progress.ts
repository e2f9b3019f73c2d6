import { describeProgress } from './progress.rules.js';

const terminalMillis = 100;
const lineMillis = 10_000;

/** How far a long command is: a bar that moves on a terminal, a line now and then elsewhere. On standard error. */
export class Progress {
  private readonly stream: NodeJS.WriteStream;
  private readonly startedAt = performance.now();
  private shownAt = this.startedAt;
  private isBarShown = false;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.stream = stream;
  }

  /** Shows it, unless it was shown just now. */
  update(rows: number, position?: { done: number; total: number | undefined }): void {
    const now = performance.now();
    if (now - this.shownAt < (this.stream.isTTY ? terminalMillis : lineMillis)) return;
    this.shownAt = now;
    const line = describeProgress({ rows, seconds: (now - this.startedAt) / 1000, ...position });
    if (this.stream.isTTY) this.stream.write(`\r${line}\u001b[K`);
    else this.stream.write(`${line}\n`);
    this.isBarShown = this.stream.isTTY;
  }

  /** A line of its own, in the bar's place. */
  say(line: string): void {
    this.end();
    this.stream.write(`${line}\n`);
  }

  /** Takes the bar away. */
  end(): void {
    if (this.isBarShown) this.stream.write('\r\u001b[K');
    this.isBarShown = false;
  }
}
