import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CallContext, Identity, WayIn } from '../caller/caller.js';
import { contextOf } from './request-scope.js';

/** Lets requests in, before their bodies are read, and knows who sent them. */
export class Admission {
  private readonly wayIn: WayIn;
  private readonly callers = new WeakMap<FastifyRequest, Identity>();

  constructor(wayIn: WayIn) {
    this.wayIn = wayIn;
  }

  /** Fastify's `onRequest` of a route. */
  readonly letIn = async (request: FastifyRequest, _reply: FastifyReply): Promise<void> => {
    this.callers.set(request, await this.wayIn(request.headers));
  };

  contextOf(request: FastifyRequest): CallContext {
    return contextOf(request.id, this.callers.get(request)!);
  }
}
