import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Limits } from '../config.js';
import type { Log } from '../log.js';

/** Answers that have not left whole, for their readers do not take them, are not kept as long, or as many, as those like. */
export function addUnreadLimits({ server }: FastifyInstance, limits: Limits, log: Log): void {
  const unread = new UnreadAnswers(limits, log);
  server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
    response.once('prefinish', () => unread.keep(response));
  });
}

class UnreadAnswers {
  private readonly limits: Limits;
  private readonly log: Log;
  /** their bytes, the oldest first */
  private readonly kept = new Map<ServerResponse, number>();
  private bytes = 0;

  constructor(limits: Limits, log: Log) {
    this.limits = limits;
    this.log = log;
  }

  /** Until it has left, its time is over, or newer ones leave no room for it. */
  keep(response: ServerResponse): void {
    const bytes = response.socket?.writableLength ?? 0;
    if (bytes === 0) return; // most have left by now
    const { answerMillis, unreadBytes } = this.limits;
    this.kept.set(response, bytes);
    this.bytes += bytes;
    const timer = setTimeout(
      () =>
        this.end(response, `found ${answerMillis} ms; allowed: ${answerMillis} (SCOPESTATE_ANSWER_TIMEOUT)`),
      answerMillis,
    );
    response.once('close', () => {
      clearTimeout(timer);
      this.release(response);
    });
    for (const oldest of this.kept.keys()) {
      if (this.bytes <= unreadBytes || oldest === response) return;
      this.end(
        oldest,
        `found ${this.bytes} bytes of all; allowed: ${unreadBytes} (SCOPESTATE_MAX_UNREAD_BYTES)`,
      );
    }
  }

  private end(response: ServerResponse, why: string): void {
    // The only place where both ways leave it, once it was written.
    const requestId = /^x-request-id: (.+)$/im.exec(String(Reflect.get(response, '_header')))?.[1];
    this.log.warn(
      { event: 'answer-not-read', requestId },
      `an answer was not read, its connection is closed: ${why}`,
    );
    this.release(response);
    response.destroy();
  }

  private release(response: ServerResponse): void {
    this.bytes -= this.kept.get(response) ?? 0;
    this.kept.delete(response);
  }
}
