import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { GraphQLError, type ExecutionResult } from 'graphql';
import {
  CloseCode,
  GRAPHQL_TRANSPORT_WS_PROTOCOL,
  makeServer,
  type OperationResult,
  type Server,
} from 'graphql-ws';
import { WebSocket, WebSocketServer } from 'ws';
import type { CallContext, Credentials, Identity, WayIn } from '../caller/caller.js';
import { Unauthenticated, Unavailable } from '../fault.js';
import type { Log } from '../log.js';
import type { Drain } from './drain.js';
import { callerKey, rateLimited, type Callers } from './callers.js';
import { refuseRaw, type RawRefusal } from './raw-answer.js';
import { contextOf } from './request-scope.js';
import { isOfSameOrigin } from './same-origin.js';
import type { Sessions } from './sessions.js';
import { pingMillis, type Subscribe } from './subscribe.js';
import { readMessage } from './web-socket-message.js';

/** So long has a client to answer the closing at the server's end. */
const closeMillis = 1_000;

/** So many bytes may wait for the network before the next event has to wait, too. */
const mostWaiting = 65_536;

const goingAway = 1001;
const messageTooBig = 1009;
const tryAgainLater = 1013;

export interface WebSocketOptions {
  subscribe: Subscribe;
  wayIn: WayIn;
  sessions: Sessions;
  drain: Drain;
  log: Log;
  callers: Callers;
  /** in bytes */
  largestMessage: number;
  allowedOrigins: readonly string[];
}

/** GraphQL over WebSocket at /graphql, by the protocol of graphql-ws. */
export function addWebSocket(server: FastifyInstance, options: WebSocketOptions): void {
  const { drain, log, callers, largestMessage } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: largestMessage,
    WebSocket: sayingWhyTooLarge(largestMessage),
    // A wrong one is taken, and closed with the code that says so: a refused handshake tells a client nothing.
    handleProtocols: (asked) =>
      asked.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) ? GRAPHQL_TRANSPORT_WS_PROTOCOL : ([...asked][0] ?? false),
  });
  const protocol = protocolOf(options);
  server.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const countedAs = callerKey(request);
    const refused = refusalOf(request, options) ?? rateRefusal(callers, callers.waitOf(countedAs));
    if (refused) return refuseRaw(socket, { ...refused, requestId: randomUUID() });
    sockets.handleUpgrade(request, socket, head, (webSocket) =>
      serve({ socket: webSocket, wire: socket, headers: request.headers, countedAs }, protocol, log),
    );
  });
  drain.atEnd(() => {
    for (const socket of sockets.clients) close(socket, goingAway, 'the server is stopping');
  });
}

/** What asks for another protocol, as Java's client does with `h2c`, is answered as if it had not (RFC 9110, 7.8). */
export function asksForWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}

/** `ws` closes with the code alone. */
function sayingWhyTooLarge(largestMessage: number): typeof WebSocket {
  const reason = `message: found more; allowed: ${largestMessage} bytes`;
  return class extends WebSocket {
    override close(code?: number, data?: string | Buffer): void {
      super.close(code, code === messageTooBig ? reason : data);
    }
  };
}

type Refused = Omit<RawRefusal, 'requestId'>;

function refusalOf(
  request: IncomingMessage,
  { drain, allowedOrigins }: WebSocketOptions,
): Refused | undefined {
  if (drain.hasBegun) return { status: 503, message: 'the server is stopping', code: 'UNAVAILABLE' };
  if (request.url?.split('?', 1)[0] !== '/graphql') {
    return { status: 404, message: 'there is nothing here; try /graphql', code: 'BAD_USER_INPUT' };
  }
  if (isOfSameOrigin(request, allowedOrigins)) return undefined;
  return { status: 403, message: 'a page of another origin may not connect', code: 'BAD_USER_INPUT' };
}

function rateRefusal(callers: Callers, wait: number): Refused | undefined {
  if (wait === 0) return undefined;
  const headers = { 'retry-after': String(wait) };
  return { status: 429, message: callers.rateText(wait), code: 'RATE_LIMITED', headers };
}

/** Errors that this room has shaped already go through graphql-ws as they are. */
class ShapedError extends GraphQLError {}

/** One connection, beside what graphql-ws knows of it. */
interface Connection {
  readonly socket: WebSocket;
  /** what the WebSocket writes to */
  readonly wire: Duplex;
  /** of the upgrade */
  readonly headers: Credentials;
  /** by his address, until it is known who it is */
  countedAs: string;
  identity?: Identity;
  /** its token's end is not waited for any more */
  leave?: () => void;
}

function protocolOf({ subscribe, wayIn, sessions, callers }: WebSocketOptions): Server<Connection> {
  return makeServer<Record<string, unknown>, Connection>({
    onConnect: async (context) => {
      const { connectionParams, extra: connection } = context;
      const credentials = credentialsOf(connectionParams, connection.headers);
      Reflect.deleteProperty(context, 'connectionParams'); // else they are held as long as the connection
      try {
        connection.identity = await wayIn(credentials);
        connection.countedAs = connection.identity.id ?? connection.countedAs;
      } catch (error) {
        refuseConnection(connection.socket, error);
        return false;
      }
      const leave = sessions.watch(credentials, (why) => refuseConnection(connection.socket, why));
      if (connection.socket.readyState === connection.socket.OPEN) connection.leave = leave;
      else leave();
      return true;
    },
    onSubscribe: ({ extra: { identity, countedAs } }, _id, payload) => {
      const context = contextOf(randomUUID(), identity!, countedAs);
      const wait = callers.waitOf(countedAs);
      const prepared =
        wait === 0
          ? subscribe.prepare(payload, context)
          : subscribe.shapeErrors([rateLimited(callers.rateText(wait))], context);
      if (!Array.isArray(prepared)) return prepared;
      return prepared.map(({ message, ...rest }) =>
        Object.assign(new ShapedError(message), { toJSON: () => ({ message, ...rest }) }),
      );
    },
    subscribe: (args) => subscribe.start(args) as OperationResult,
    onNext: (_context, _id, _payload, args, result) =>
      subscribe.shape(result as ExecutionResult, args.contextValue as CallContext) as never,
    onError: ({ extra: { identity, countedAs } }, _id, _payload, errors) =>
      errors.every((error) => error instanceof ShapedError)
        ? undefined
        : subscribe.shapeErrors(errors, contextOf(randomUUID(), identity!, countedAs)),
  });
}

/** What the client says at the connection's beginning goes before its headers: a browser can set none. */
function credentialsOf(params: Record<string, unknown> | undefined, headers: Credentials): Credentials {
  const [, given] =
    Object.entries(params ?? {}).find(([name]) => name.toLowerCase() === 'authorization') ?? [];
  if (given === undefined || given === null) return headers;
  return { ...headers, authorization: typeof given === 'string' ? given : '' };
}

/** @throws what is no refusal */
function refuseConnection(socket: WebSocket, error: unknown): void {
  if (error instanceof Unauthenticated) return close(socket, CloseCode.Forbidden, error.message);
  if (error instanceof Unavailable) return close(socket, tryAgainLater, error.message);
  throw error;
}

function close(socket: WebSocket, code: number, reason: string): void {
  socket.close(code, reason);
  setTimeout(() => socket.terminate(), closeMillis).unref();
}

function serve(connection: Connection, protocol: Server<Connection>, log: Log): void {
  const { socket } = connection;
  const send = sender(connection);
  socket.on('error', (error) => log.debug({ event: 'web-socket-fault', cause: error.message }, 'closed'));
  const stopPinging = keepAlive(socket);
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      send,
      close: (code, reason) => socket.close(code, reason),
      onMessage: (take) =>
        socket.on('message', (message: Buffer) => {
          waitForReader(connection);
          const read = readMessage(message);
          if ('fault' in read) return close(socket, CloseCode.BadRequest, read.fault);
          take(read.forProtocol).catch((error: unknown) => {
            log.error({ event: 'internal-error', err: error }, 'a WebSocket failed inside');
            socket.close(CloseCode.InternalServerError, 'Internal server error');
          });
        }),
    },
    connection,
  );
  socket.once('close', (code, reason) => {
    stopPinging();
    connection.leave?.();
    void closed(code, reason.toString());
  });
}

/** Whoever does not take what he was answered is not listened to until he does: each message could be one more answer. */
function waitForReader({ socket, wire }: Connection): void {
  if (socket.bufferedAmount < mostWaiting || socket.isPaused) return;
  socket.pause();
  wire.once('drain', () => socket.resume());
}

/**
 * Sends texts; what is sent in one turn of the event loop leaves in one write. Who reads slowly is sent no more while much
 * of it has not left for the network.
 */
function sender({ socket, wire }: Connection): (text: string) => Promise<void> {
  let isCorked = false;
  const uncork = () => {
    isCorked = false;
    wire.uncork();
  };
  return (text) => {
    if (socket.readyState !== socket.OPEN) return Promise.resolve();
    if (!isCorked) {
      isCorked = true;
      wire.cork();
      setImmediate(uncork);
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.send(text, () => resolve());
    if (socket.bufferedAmount < mostWaiting) resolve();
    return promise;
  };
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
