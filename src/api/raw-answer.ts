import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { securityHeaders } from './security-headers.js';

export interface RawRefusal {
  status: number;
  message: string;
  code: string;
  requestId: string;
  headers?: Record<string, string>;
}

/** For a peer that reads nothing: its socket is not kept for it. */
const lingerMillis = 1_000;

/** Refuses on a socket that no request of Fastify's stands behind, in the form of all refusals, and ends it. */
export function refuseRaw(socket: Duplex, refused: RawRefusal): void {
  const { status, message, code, requestId, headers = {} } = refused;
  const body = JSON.stringify({ errors: [{ message, extensions: { code, requestId } }] });
  const lines = Object.entries({
    ...securityHeaders,
    ...headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'x-request-id': requestId,
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
  socket.resume(); // what it still sends is thrown away: a socket closed on unread bytes loses the answer too
  setTimeout(() => socket.destroy(), lingerMillis).unref();
}
