import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { GraphQLError, type ExecutionArgs, type ExecutionResult } from 'graphql';
import {
  CloseCode,
  GRAPHQL_TRANSPORT_WS_PROTOCOL,
  makeServer,
  type OperationResult,
  type Server,
} from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';
import type { CallContext } from '../caller/caller.js';
import type { Log } from '../log.js';
import type { Drain } from './drain.js';
import { callerKey, rateLimited, type Callers } from './callers.js';
import { refuseRaw, type RawRefusal } from './raw-answer.js';
import { isOfSameOrigin } from './same-origin.js';
import { pingMillis, type Subscribe } from './subscribe.js';

/** So long has a client to answer the closing at the server's end. */
const closeMillis = 1_000;

const goingAway = 1001;

export interface WebSocketOptions {
  subscribe: Subscribe;
  drain: Drain;
  log: Log;
  callers: Callers;
  /** in bytes */
  largestMessage: number;
  allowedOrigins: readonly string[];
}

/** What is known of a socket from its handshake. */
interface Extra {
  readonly callerKey: string;
}

/** GraphQL over WebSocket at /graphql, by the protocol of graphql-ws. */
export function addWebSocket(server: FastifyInstance, options: WebSocketOptions): void {
  const { subscribe, drain, log, callers, largestMessage, allowedOrigins } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: largestMessage,
    // A wrong one is taken, and closed with the code that says so: a refused handshake tells a client nothing.
    handleProtocols: (asked) =>
      asked.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) ? GRAPHQL_TRANSPORT_WS_PROTOCOL : ([...asked][0] ?? false),
  });
  const protocol = protocolOf(subscribe, callers);
  server.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const key = callerKey(request);
    const refused = refusalOf(request) ?? rateRefusal(callers.waitOf(key));
    if (refused) return refuseRaw(socket, { ...refused, requestId: randomUUID() });
    sockets.handleUpgrade(request, socket, head, (webSocket) =>
      serve(webSocket, { callerKey: key }, protocol, log),
    );
  });
  function refusalOf(request: IncomingMessage): Refused | undefined {
    if (drain.hasBegun) return { status: 503, message: 'the server is stopping', code: 'UNAVAILABLE' };
    if (request.url?.split('?', 1)[0] !== '/graphql') {
      return { status: 404, message: 'there is nothing here; try /graphql', code: 'BAD_USER_INPUT' };
    }
    if (isOfSameOrigin(request, allowedOrigins)) return undefined;
    return { status: 403, message: 'a page of another origin may not connect', code: 'BAD_USER_INPUT' };
  }
  function rateRefusal(wait: number): Refused | undefined {
    if (wait === 0) return undefined;
    const headers = { 'retry-after': String(wait) };
    return { status: 429, message: callers.rateText(wait), code: 'RATE_LIMITED', headers };
  }
  drain.atEnd(() => {
    for (const socket of sockets.clients) {
      socket.close(goingAway, 'the server is stopping');
      setTimeout(() => socket.terminate(), closeMillis).unref();
    }
  });
}

type Refused = Omit<RawRefusal, 'requestId'>;

/** Errors that this room has shaped already go through graphql-ws as they are. */
class ShapedError extends GraphQLError {}

function protocolOf(subscribe: Subscribe, callers: Callers): Server<Extra> {
  const requestIdOf = ({ contextValue }: ExecutionArgs) => (contextValue as CallContext).caller.requestId;
  const keys = new WeakMap<ExecutionArgs, string>();
  return makeServer<undefined, Extra>({
    onSubscribe: ({ extra: { callerKey } }, _id, payload) => {
      const requestId = randomUUID();
      const wait = callers.waitOf(callerKey);
      const prepared =
        wait === 0
          ? subscribe.prepare(payload, { requestId, callerKey })
          : subscribe.shapeErrors([rateLimited(callers.rateText(wait))], requestId);
      if (!Array.isArray(prepared)) {
        keys.set(prepared, callerKey);
        return prepared;
      }
      return prepared.map(({ message, ...rest }) =>
        Object.assign(new ShapedError(message), { toJSON: () => ({ message, ...rest }) }),
      );
    },
    subscribe: (args) => subscribe.start(args, keys.get(args)!) as OperationResult,
    onNext: (_context, _id, _payload, args, result) =>
      subscribe.shape(result as ExecutionResult, requestIdOf(args)) as never,
    onError: (_context, _id, _payload, errors) =>
      errors.every((error) => error instanceof ShapedError)
        ? undefined
        : subscribe.shapeErrors(errors, randomUUID()),
  });
}

function serve(socket: WebSocket, extra: Extra, protocol: Server<Extra>, log: Log): void {
  socket.on('error', (error) => log.debug({ event: 'web-socket-fault', cause: error.message }, 'closed'));
  const stopPinging = keepAlive(socket);
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      // Answers when the text has left for the network: who reads slowly is sent no more meanwhile.
      send: (text) =>
        new Promise((resolve) => {
          if (socket.readyState === socket.OPEN) socket.send(text, () => resolve());
          else resolve();
        }),
      close: (code, reason) => socket.close(code, reason),
      onMessage: (take) =>
        socket.on('message', (message: Buffer) => {
          take(message.toString()).catch((error: unknown) => {
            log.error({ event: 'internal-error', err: error }, 'a WebSocket failed inside');
            socket.close(CloseCode.InternalServerError, 'Internal server error');
          });
        }),
    },
    extra,
  );
  socket.once('close', (code, reason) => {
    stopPinging();
    void closed(code, reason.toString());
  });
}

/** Ends a socket that has not answered the last ping. */
function keepAlive(socket: WebSocket): () => void {
  let isAlive = true;
  socket.on('pong', () => {
    isAlive = true;
  });
  const timer = setInterval(() => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, pingMillis);
  return () => clearInterval(timer);
}
