import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';

type Take = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Requests that come on one connection without waiting for answers are begun one after another, each when the answer before it
 * has been taken: hundreds of answers would wait to be read otherwise. RFC 9112, 9.3.2, wants it so for what is not safe.
 */
export function addTurns({ server }: FastifyInstance): void {
  const takers = server.listeners('request') as Take[];
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const take = () => takers.forEach((taker) => taker.call(server, request, response));
    // Node.js gives an answer its socket when those before it have left; one that is closed before gives it to no other.
    if (response.socket) take();
    else response.once('socket', take);
  });
}
