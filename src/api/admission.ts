import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Identity, WayIn } from '../caller/caller.js';
import { Unauthenticated, Unavailable } from '../fault.js';
import { callerKey, type Callers } from './callers.js';
import { refusal } from './http-errors.js';
import { contextOf, type RequestContext } from './request-scope.js';

/** Who sends a request, and how he is counted. */
export interface Admitted {
  readonly identity: Identity;
  readonly countedAs: string;
  /** on this process's own clock */
  readonly at: number;
}

/** What a change needs besides a caller who may. */
export interface ChangeLimits {
  /** from when all of its request is there */
  readonly deadlineMillis: number;
  /** whether the database keeps what it acknowledges, as far as is known: no write finds that out */
  readonly isDurable: () => boolean;
}

/** So long it holds without another look: as long as what is known of a token is believed. A body may take longer to come. */
const holdsMillis = 1_000;

export function isRecent({ at }: Admitted): boolean {
  return performance.now() - at < holdsMillis;
}

/** Lets requests in, before their bodies are read, as many of a caller's as he may send; and knows who sent them. */
export class Admission {
  private readonly wayIn: WayIn;
  private readonly callers: Callers;
  private readonly limits: ChangeLimits;
  private readonly admitted = new WeakMap<IncomingMessage, Admitted>();
  private readonly lookedFor = new WeakMap<IncomingMessage, Promise<Identity>>();

  constructor(wayIn: WayIn, callers: Callers, limits: ChangeLimits) {
    this.wayIn = wayIn;
    this.callers = callers;
    this.limits = limits;
  }

  /** Fastify's `onRequest` of a route. */
  readonly letIn = async (request: FastifyRequest, _reply: FastifyReply): Promise<void> => {
    if (this.admitted.has(request.raw)) return;
    const identity = await this.identityOf(request);
    const countedAs = identity.id ?? callerKey(request.raw);
    this.count(countedAs);
    this.admitted.set(request.raw, { identity, countedAs, at: performance.now() });
  };

  /** Fastify's `preHandler`: whoever is no longer let in when all of his request is there does nothing with it. */
  readonly lookAgain = async ({ raw, headers }: FastifyRequest): Promise<void> => {
    const admitted = this.admitted.get(raw);
    if (!admitted || isRecent(admitted)) return;
    this.admitted.set(raw, { ...admitted, identity: await this.wayIn(headers), at: performance.now() });
  };

  /** Lets in whoever may come in and may send, at once where he is known. Whom it does not, `letIn` refuses, or lets in after all. */
  admit(request: IncomingMessage): Admitted | undefined | Promise<Admitted | undefined> {
    try {
      const identity = this.wayIn(request.headers);
      if (!(identity instanceof Promise)) return this.admitAs(request, identity);
      this.lookedFor.set(request, identity);
      return identity.then(
        (late) => this.admitAs(request, late),
        () => undefined,
      );
    } catch {
      return undefined;
    }
  }

  /** Whom `admit` has let in, `letIn` is not to count again. */
  keep(request: IncomingMessage, admitted: Admitted): void {
    this.admitted.set(request, admitted);
  }

  contextOf({ raw, id }: FastifyRequest): RequestContext {
    return this.contextFor(raw, this.admitted.get(raw)!, id);
  }

  contextFor({ headers }: IncomingMessage, admitted: Admitted, requestId: string): RequestContext {
    const { identity, countedAs, at } = admitted;
    const { deadlineMillis, isDurable } = this.limits;
    const deadline = performance.now() + deadlineMillis;
    let lookedAt = at;
    return contextOf(requestId, identity, countedAs, () => {
      const now = performance.now();
      if (!isDurable()) throw new Unavailable('the database may lose what is written now; nothing was done');
      if (now > deadline) throw new Unavailable('the time of its request is over; nothing was done');
      if (now - lookedAt < holdsMillis) return undefined;
      const still = this.wayIn(headers);
      if (still instanceof Promise) return still.then(() => void (lookedAt = now));
      lookedAt = now;
      return undefined;
    });
  }

  private admitAs(request: IncomingMessage, identity: Identity): Admitted | undefined {
    const countedAs = identity.id ?? callerKey(request);
    return this.callers.waitOf(countedAs) > 0 ? undefined : { identity, countedAs, at: performance.now() };
  }

  /** Who comes in with nothing that is in force is counted by his address: guessing is not for free. */
  private async identityOf(request: FastifyRequest): Promise<Identity> {
    try {
      return await (this.lookedFor.get(request.raw) ?? this.wayIn(request.headers));
    } catch (error) {
      if (error instanceof Unauthenticated) this.count(callerKey(request.raw));
      throw error;
    }
  }

  private count(caller: string): void {
    const wait = this.callers.waitOf(caller);
    if (wait === 0) return;
    throw refusal(429, this.callers.rateText(wait), 'RATE_LIMITED', { 'retry-after': String(wait) });
  }
}
