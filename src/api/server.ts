import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { WayIn } from '../caller/caller.js';
import type { Limits } from '../config.js';
import type { Log } from '../log.js';
import { Admission } from './admission.js';
import { Callers } from './callers.js';
import { addConnectionLimit, onClientError } from './connections.js';
import { addCors, corsHeaders } from './cors.js';
import { createDocuments } from './documents/documents.js';
import type { TrustedDocuments } from './documents/trusted-documents.js';
import { addDrain } from './drain.js';
import { addEventStream } from './event-stream.js';
import { addGraphQLEndpoint } from './graphql-endpoint.js';
import { addHealth, type ReadyAnswer } from './health.js';
import { addHttpErrors, refuseUnroutable } from './http-errors.js';
import { addJsonBody } from './json-body.js';
import { KnownDocuments } from './known-documents.js';
import { RequestBodies } from './request-bodies.js';
import { inRequest, requestIdOf } from './request-scope.js';
import { securityHeaders } from './security-headers.js';
import { Sessions } from './sessions.js';
import { addShortWay } from './short-way.js';
import { createSubscribe, largestSubscription } from './subscribe.js';
import { addUnreadLimits } from './unread-answers.js';
import { addWebSocket, asksForWebSocket } from './web-socket.js';

export interface ServerOptions {
  schema: GraphQLSchema;
  log: Log;
  /** who may come in */
  wayIn: WayIn;
  readiness: () => ReadyAnswer;
  /** is called after each mutation, when its answer is on its way */
  onMutation: () => void;
  limits: Limits;
  /** whose pages may call from a browser */
  corsOrigins: readonly string[];
  /** from callers who have not said who they are */
  hidesSchema: boolean;
  /** only these run; undefined: all that are valid */
  trustedDocuments?: TrustedDocuments | undefined;
}

/** How often Node.js looks for sockets that keep it waiting; its own half a minute is longer than our timeouts. */
const connectionsCheckMillis = 1_000;

export interface Server {
  /** @returns where it listens */
  listen(host: string, port: number): Promise<string>;
  /** Answers what it accepted, refuses what comes after. */
  close(): Promise<void>;
}

/** The HTTP server, not listening yet. Every answer carries its request's id in `x-request-id`. */
export async function createServer(options: ServerOptions): Promise<Server> {
  const { schema, log, wayIn, readiness, onMutation, limits, corsOrigins, hidesSchema } = options;
  const server = fastify({
    genReqId: (request) => requestIdOf(request.headers['x-request-id']),
    forceCloseConnections: 'idle',
    return503OnClosing: false, // what was accepted is answered, however late it comes to be routed
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.bodyMillis,
    keepAliveTimeout: limits.keepAliveMillis,
    http: {
      headersTimeout: limits.headersMillis,
      connectionsCheckingInterval: connectionsCheckMillis,
      shouldUpgradeCallback: asksForWebSocket,
    },
    clientErrorHandler: onClientError,
    frameworkErrors: refuseUnroutable,
  });
  server.addHook('onRequest', (request, reply, done) => {
    reply.headers(securityHeaders).header('x-request-id', request.id);
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
  if (corsOrigins.length > 0) await addCors(server, corsOrigins);
  const callers = new Callers(limits);
  addConnectionLimit(server, limits);
  const bodies = new RequestBodies(limits, log);
  addJsonBody(server, bodies, limits.bodyBytes);
  addHttpErrors(server, log);
  addHealth(server, readiness);
  const drain = addDrain(server);
  const admission = new Admission(wayIn, callers, {
    deadlineMillis: limits.deadlineMillis,
    isDurable: () => readiness().reason !== 'writes are not durable',
  });
  const sessions = new Sessions(wayIn);
  const documents = createDocuments(schema, { limits, hidesSchema, trusted: options.trustedDocuments });
  const { deadlineMillis } = limits;
  const known = new KnownDocuments();
  await addGraphQLEndpoint(server, {
    schema,
    log,
    admission,
    documents,
    known,
    deadlineMillis,
    hidesSchema,
    onMutation,
  });
  if (!options.trustedDocuments) {
    addShortWay(server, {
      schema,
      log,
      admission,
      documents,
      known,
      drain,
      bodies,
      largestBody: limits.bodyBytes,
      deadlineMillis,
      headers: { ...securityHeaders, ...(corsOrigins.length > 0 && corsHeaders) },
      hidesSchema,
      onMutation,
    });
  }
  addUnreadLimits(server, limits, log);
  const subscribe = createSubscribe({ schema, log, documents, callers, hidesSchema });
  const streams = { subscribe, sessions, drain, allowedOrigins: corsOrigins };
  const largestMessage = Math.min(largestSubscription, limits.bodyBytes);
  addWebSocket(server, { ...streams, wayIn, log, callers, largestMessage });
  addEventStream(server, { ...streams, admission, largestBody: largestMessage });
  return {
    listen: async (host, port) => {
      await server.listen({ host, port }); // its answer says 127.0.0.1 also where it is open to all
      const { address, family, port: taken } = server.server.address() as AddressInfo;
      return `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`;
    },
    close: () => drain.close(),
  };
}
