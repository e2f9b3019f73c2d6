import type { IncomingMessage } from 'node:http';
import type { Limits } from '../config.js';
import type { Log } from '../log.js';
import { refusal } from './http-errors.js';

/** The body, why it is not waited for, or undefined: it is larger than it may be. */
type Read = Buffer | Error | undefined;

interface Unfinished {
  /** that have come */
  readonly bytes: number;
  readonly end: (why: Error) => void;
}

/** Reads bodies. Those that have not come whole have so many bytes together: beyond, the one that has been coming longest is refused. */
export class RequestBodies {
  private readonly limits: Limits;
  private readonly log: Log;
  /** the one that has been coming longest first */
  private readonly unfinished = new Map<IncomingMessage, Unfinished>();
  private bytes = 0;
  private readonly kept = new WeakMap<IncomingMessage, Read>();

  constructor(limits: Limits, log: Log) {
    this.limits = limits;
    this.log = log;
  }

  /** Undefined: it is larger. */
  async read(request: IncomingMessage, largest: number): Promise<Buffer | undefined> {
    const { promise, resolve } = Promise.withResolvers<Read>();
    if (this.kept.has(request)) resolve(this.kept.get(request));
    else this.take(request, largest, resolve);
    const read = await promise;
    if (read instanceof Error) throw read;
    return read;
  }

  /** The same without a promise. */
  take(request: IncomingMessage, largest: number, tell: (read: Read) => void): void {
    const length = Number(request.headers['content-length']);
    let chunks: Buffer[] = [];
    let came = 0;
    let isOver = false;
    const end = (read: Read) => {
      if (isOver) return;
      isOver = true;
      this.release(request);
      chunks = [];
      tell(read);
    };
    request.on('data', (chunk: Buffer) => {
      if (isOver) return; // thrown away
      came += chunk.length;
      if (came > largest) return end(undefined);
      chunks.push(chunk);
      if (came !== length) this.keepUnfinished(request, came, end); // most come whole
    });
    request.on('end', () => end(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
    request.on('error', end);
  }

  /** A request whose body has been read can still be answered: who reads it again is told the same. */
  keep(request: IncomingMessage, read: Read): void {
    this.kept.set(request, read);
  }

  private keepUnfinished(request: IncomingMessage, bytes: number, end: (why: Error) => void): void {
    this.bytes += bytes - (this.unfinished.get(request)?.bytes ?? 0);
    this.unfinished.set(request, { bytes, end });
    for (const longest of this.unfinished.values()) {
      if (this.bytes <= this.limits.unfinishedBytes) return;
      const message = `bodies that have not come whole: found ${this.bytes} bytes of all; allowed: ${this.limits.unfinishedBytes} (SCOPESTATE_MAX_UNFINISHED_BYTES)`;
      this.log.warn(
        { event: 'body-not-whole' },
        `${message}; the one that has been coming longest is refused`,
      );
      longest.end(
        refusal(503, `${message}; yours has been coming longest, and nothing was done`, 'UNAVAILABLE', {
          'retry-after': '1',
        }),
      );
    }
  }

  private release(request: IncomingMessage): void {
    this.bytes -= this.unfinished.get(request)?.bytes ?? 0;
    this.unfinished.delete(request);
  }
}
