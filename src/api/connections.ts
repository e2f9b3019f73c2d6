import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Limits } from '../config.js';
import { refuseRaw } from './raw-answer.js';

/** So many more are taken, only to be told that there are too many; what comes then is cut off. */
const mostRefused = 100;

/** Beyond the limit a connection is answered 503 and closed, whatever it asks for: those that are open go on. */
export function addConnectionLimit(server: FastifyInstance, limits: Limits): void {
  const http = server.server;
  http.maxConnections = limits.connections + mostRefused;
  const listeners = http.listeners('connection') as ((this: Server, socket: Socket) => void)[];
  http.removeAllListeners('connection');
  let open = 0;
  http.on('connection', (socket: Socket) => {
    if (open >= limits.connections) {
      return refuseRaw(socket, {
        status: 503,
        message: `connections: found ${open}; allowed: ${limits.connections} (SCOPESTATE_MAX_CONNECTIONS)`,
        code: 'UNAVAILABLE',
        requestId: randomUUID(),
        headers: { 'retry-after': '1' },
      });
    }
    open++;
    socket.once('close', () => open--);
    for (const listener of listeners) listener.call(http, socket);
  });
}

/** An error of Node's parser, which has met bytes that are no request, or none that came in time. */
export function onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  const begun = Reflect.get(socket, '_httpMessage') as
    (ServerResponse<IncomingMessage> & { _headerSent?: boolean }) | null | undefined;
  // What is said now would be taken for the answer to a request before, which may be at work.
  const isOfAnother = begun?._headerSent === true || begun?.req.complete === true;
  if (error.code === 'ECONNRESET' || !socket.writable || isOfAnother) return void socket.destroy();
  const [status, message] = clientFaults[error.code ?? ''] ?? [400, 'this is no HTTP request'];
  refuseRaw(socket, { status, message, code: 'BAD_USER_INPUT', requestId: randomUUID() });
}

const clientFaults: Record<string, [number, string]> = {
  HPE_HEADER_OVERFLOW: [431, 'the address and the headers are longer than 16 KiB together'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'the extensions of a chunk are too long'],
  ERR_HTTP_REQUEST_TIMEOUT: [
    408,
    'the request did not come in time (SCOPESTATE_HEADERS_TIMEOUT, SCOPESTATE_BODY_TIMEOUT)',
  ],
};
