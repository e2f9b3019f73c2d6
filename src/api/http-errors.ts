import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import { quoted, Unauthenticated, Unavailable } from '../fault.js';
import type { Log } from '../log.js';

/** What went wrong before GraphQL saw the request, in GraphQL's form: callers read one form only. */
export function addHttpErrors(server: FastifyInstance, log: Log): void {
  server.setNotFoundHandler((request, reply) => {
    const known = ['/graphql', '/graphql/stream', '/livez', '/readyz'].includes(
      request.url.split('?', 1)[0]!,
    );
    if (known) {
      reply.header('allow', request.url.startsWith('/graphql') ? 'GET, POST' : 'GET');
      return refuse(reply, 405, 'this method is not allowed here');
    }
    return refuse(reply, 404, 'there is nothing here; try POST /graphql');
  });
  server.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof Unauthenticated) {
      // RFC 6750, section 3: says more only to who has sent something.
      reply.header('www-authenticate', error.wasGiven ? 'Bearer error="invalid_token"' : 'Bearer');
      return refuse(reply, 401, error.message, 'UNAUTHENTICATED');
    }
    if (error instanceof Unavailable) {
      log.warn({ event: 'unavailable', requestId: request.id, cause: String(error.cause) }, error.message);
      return refuse(reply, 503, error.message, 'UNAVAILABLE');
    }
    const status = error.statusCode ?? 500;
    if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
      const found = quoted(request.headers['content-type'] ?? 'no content-type');
      return refuse(reply, 415, `content-type: found ${found}; allowed: application/json`);
    }
    if (status >= 400 && status < 500) return refuse(reply, status, error.message);
    log.error({ event: 'internal-error', requestId: request.id, err: error }, 'a request failed inside');
    return refuse(
      reply,
      500,
      'something went wrong inside; the log has it under the requestId',
      'INTERNAL_SERVER_ERROR',
    );
  });
}

function refuse(reply: FastifyReply, status: number, message: string, code = 'BAD_USER_INPUT') {
  return reply
    .code(status)
    .send({ errors: [{ message, extensions: { code, requestId: reply.request.id } }] });
}

/** Thrown while a request is read: answered with that status. */
export function refusal(statusCode: number, message: string): Error {
  return Object.assign(new Error(message), { statusCode });
}
