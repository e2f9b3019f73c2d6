import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { GraphQLError, type ExecutionResult } from 'graphql';
import type { Admission } from './admission.js';
import type { Unauthenticated } from '../fault.js';
import type { Drain } from './drain.js';
import { refusal } from './http-errors.js';
import type { RequestContext } from './request-scope.js';
import { isOfSameOrigin } from './same-origin.js';
import type { Sessions } from './sessions.js';
import { pingMillis, type StreamedResult, type Subscribe, type SubscribeRequest } from './subscribe.js';

const eventStream = 'text/event-stream';

export interface EventStreamOptions {
  subscribe: Subscribe;
  admission: Admission;
  /** in bytes */
  largestBody: number;
  sessions: Sessions;
  drain: Drain;
  allowedOrigins: readonly string[];
}

/**
 * GraphQL over server-sent events at /graphql/stream, by the protocol of graphql-sse: a connection for each subscription.
 * Written here, for that package's own handler takes events from their source however slowly they are read.
 */
export function addEventStream(server: FastifyInstance, options: EventStreamOptions): void {
  const { subscribe, admission, largestBody, sessions, drain, allowedOrigins } = options;
  const open = new Set<() => void>();
  drain.atEnd(() => {
    for (const end of open) end();
  });
  server.route({
    method: ['GET', 'POST'],
    url: '/graphql/stream',
    exposeHeadRoute: false,
    bodyLimit: largestBody,
    onRequest: admission.letIn,
    preHandler: admission.lookAgain,
    handler: async (request, reply) => {
      if (!isOfSameOrigin(request.raw, allowedOrigins)) {
        throw refusal(403, 'a page of another origin may not subscribe');
      }
      if (new Negotiator(request.raw).mediaType([eventStream]) === undefined) {
        throw refusal(406, `accept: found ${request.headers.accept}; allowed: ${eventStream}`);
      }
      const wanted = requestOf(request);
      request.body = undefined; // held as long as the stream, with the request
      const context = admission.contextOf(request);
      const stream = new Events(reply);
      const end = () => stream.end();
      open.add(end);
      const leave = sessions.watch(request.headers, (why) => {
        stream.end({ errors: subscribe.shapeErrors([ended(why)], context) });
      });
      try {
        await answer(stream, subscribe, wanted, context);
      } finally {
        leave();
        stream.letGo();
        open.delete(end);
      }
      return reply;
    },
  });
}

function ended({ message }: Unauthenticated): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'UNAUTHENTICATED' } });
}

async function answer(
  stream: Events,
  subscribe: Subscribe,
  wanted: SubscribeRequest,
  context: RequestContext,
): Promise<void> {
  const prepared = subscribe.prepare(wanted, context);
  if (Array.isArray(prepared)) return stream.sendOnly({ errors: prepared });
  const started = await subscribe.start(prepared);
  if (!(Symbol.asyncIterator in started)) return stream.sendOnly(subscribe.shape(started, context));
  await stream.pipe(started, (result) => subscribe.shape(result, context));
}

/** What is written to one subscriber. */
class Events {
  private readonly reply: FastifyReply;
  private readonly socket: Socket;
  private readonly gone = () => this.end();
  private results: AsyncGenerator<ExecutionResult, void, void> | undefined;
  private isEnded = false;
  private last: StreamedResult | undefined;

  constructor(reply: FastifyReply) {
    this.reply = reply;
    this.socket = reply.request.raw.socket;
    this.socket.once('close', this.gone);
  }

  /** Is no longer held by its connection, which may stay for other requests. */
  letGo(): void {
    this.socket.off('close', this.gone);
  }

  sendOnly(result: StreamedResult): void {
    const response = this.open();
    response.end(eventText(result) + completeText);
  }

  /** Writes results as fast as they are read, until there are no more, or the subscriber or the server goes. */
  async pipe(
    results: AsyncGenerator<ExecutionResult, void, void>,
    shape: (result: ExecutionResult) => StreamedResult,
  ): Promise<void> {
    this.results = results;
    if (this.isEnded) await results.return();
    const response = this.open();
    const stopPinging = keepAlive(response);
    try {
      response.write(pingText); // some browsers take an answer for begun with its first bytes only
      for await (const result of results) {
        if (!response.write(eventText(shape(result))) && !response.destroyed) await drained(response);
      }
    } finally {
      stopPinging();
      response.end((this.last ? eventText(this.last) : '') + completeText);
    }
  }

  /** With a last result that says why. */
  end(last?: StreamedResult): void {
    this.isEnded = true;
    this.last ??= last;
    void this.results?.return();
  }

  private open(): ServerResponse {
    this.reply.hijack();
    const response = this.reply.raw;
    response.on('error', () => response.destroy());
    response.writeHead(200, {
      ...(this.reply.getHeaders() as OutgoingHttpHeaders),
      'content-type': `${eventStream}; charset=utf-8`,
      'cache-control': 'no-cache',
      connection: 'close', // a subscription ends with its connection, and this with it
      'x-accel-buffering': 'no', // nginx would keep events back
    });
    return response;
  }
}

const pingText = ':\n\n';
const completeText = 'event: complete\ndata:\n\n';

function eventText(result: StreamedResult): string {
  return `event: next\ndata: ${JSON.stringify(result)}\n\n`;
}

/** Until what was written has left for the network, or the subscriber is gone. */
function drained(response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  response.once('drain', resolve).once('close', resolve);
  return promise.finally(() => response.off('drain', resolve).off('close', resolve));
}

/** Ends a connection that has not taken the last ping. */
function keepAlive(response: ServerResponse): () => void {
  let isTaken = true;
  const timer = setInterval(() => {
    if (!isTaken) return response.destroy();
    isTaken = false;
    response.write(pingText, () => {
      isTaken = true;
    });
  }, pingMillis);
  return () => clearInterval(timer);
}

/** @throws what Fastify answers with 400, where the request has not the form of one */
function requestOf(request: FastifyRequest): SubscribeRequest {
  const given = request.method === 'GET' ? fromSearch(request.query as Record<string, string>) : request.body;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw refusal(400, 'the body is no JSON object with a query');
  }
  const { query, variables, operationName, documentId, extensions } = given as Record<string, unknown>;
  const isNamed = query === undefined && (documentId !== undefined || extensions !== undefined);
  if (typeof query !== 'string' && !isNamed)
    throw refusal(400, 'query: found none; allowed: the text of a subscription');
  if (variables !== undefined && (typeof variables !== 'object' || Array.isArray(variables))) {
    throw refusal(400, 'variables: allowed: a JSON object');
  }
  if (operationName !== undefined && operationName !== null && typeof operationName !== 'string') {
    throw refusal(400, 'operationName: allowed: a name');
  }
  return {
    query: query ?? '',
    variables: variables as SubscribeRequest['variables'],
    operationName,
    documentId,
    extensions,
  };
}

function fromSearch(search: Record<string, string>): Record<string, unknown> {
  const given: Record<string, unknown> = { ...search };
  for (const name of ['variables', 'extensions']) {
    if (given[name] === undefined) continue;
    try {
      given[name] = JSON.parse(search[name]!);
    } catch {
      throw refusal(400, `${name}: allowed: a JSON object`);
    }
  }
  if (given['operationName'] === '') given['operationName'] = undefined; // as GraphQL over HTTP has it
  return given;
}
