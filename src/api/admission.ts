import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Identity, WayIn } from '../caller/caller.js';
import { Unauthenticated } from '../fault.js';
import { callerKey, type Callers } from './callers.js';
import { refusal } from './http-errors.js';
import { contextOf, type RequestContext } from './request-scope.js';

interface Admitted {
  readonly identity: Identity;
  readonly countedAs: string;
}

/** Lets requests in, before their bodies are read, as many of a caller's as he may send; and knows who sent them. */
export class Admission {
  private readonly wayIn: WayIn;
  private readonly callers: Callers;
  private readonly admitted = new WeakMap<FastifyRequest, Admitted>();

  constructor(wayIn: WayIn, callers: Callers) {
    this.wayIn = wayIn;
    this.callers = callers;
  }

  /** Fastify's `onRequest` of a route. */
  readonly letIn = async (request: FastifyRequest, _reply: FastifyReply): Promise<void> => {
    const identity = await this.identityOf(request);
    const countedAs = identity.id ?? callerKey(request.raw);
    this.count(countedAs);
    this.admitted.set(request, { identity, countedAs });
  };

  contextOf(request: FastifyRequest): RequestContext {
    const { identity, countedAs } = this.admitted.get(request)!;
    return contextOf(request.id, identity, countedAs);
  }

  /** Who comes in with nothing that is in force is counted by his address: guessing is not for free. */
  private async identityOf(request: FastifyRequest): Promise<Identity> {
    try {
      return await this.wayIn(request.headers);
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
