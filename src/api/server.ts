import { fastify } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { WayIn } from '../caller/caller.js';
import type { Log } from '../log.js';
import { Admission } from './admission.js';
import { addDrain } from './drain.js';
import { addEventStream } from './event-stream.js';
import { addGraphQLEndpoint } from './graphql-endpoint.js';
import { addHealth, type ReadyAnswer } from './health.js';
import { addHttpErrors } from './http-errors.js';
import { addJsonBody } from './json-body.js';
import { inRequest, requestIdOf } from './request-scope.js';
import { Sessions } from './sessions.js';
import { createSubscribe } from './subscribe.js';
import { addWebSocket } from './web-socket.js';

export interface ServerOptions {
  schema: GraphQLSchema;
  log: Log;
  /** who may come in */
  wayIn: WayIn;
  readiness: () => ReadyAnswer;
  /** is called after each mutation, when its answer is on its way */
  onMutation: () => void;
}

export interface Server {
  /** @returns where it listens */
  listen(host: string, port: number): Promise<string>;
  /** Answers what it accepted, refuses what comes after. */
  close(): Promise<void>;
}

/** The HTTP server, not listening yet. Every answer carries its request's id in `x-request-id`. */
export async function createServer(options: ServerOptions): Promise<Server> {
  const { schema, log, wayIn, readiness, onMutation } = options;
  const server = fastify({
    genReqId: (request) => requestIdOf(request.headers['x-request-id']),
    forceCloseConnections: 'idle',
  });
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    inRequest(request.id, done);
  });
  server.addHook('onResponse', (request, reply, done) => {
    log.debug(
      {
        event: 'request',
        requestId: request.id,
        method: request.method,
        path: request.url.split('?', 1)[0],
        status: reply.statusCode,
        millis: Math.round(reply.elapsedTime),
      },
      'answered',
    );
    done();
  });
  addJsonBody(server);
  addHttpErrors(server, log);
  addHealth(server, readiness);
  const drain = addDrain(server);
  const admission = new Admission(wayIn);
  const sessions = new Sessions(wayIn);
  await addGraphQLEndpoint(server, schema, log, admission, onMutation);
  const subscribe = createSubscribe(schema, log);
  addWebSocket(server, { subscribe, wayIn, sessions, drain, log });
  addEventStream(server, { subscribe, admission, sessions, drain });
  return { listen: (host, port) => server.listen({ host, port }), close: () => drain.close() };
}
