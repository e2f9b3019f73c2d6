import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { OutcomeUnknown, quoted, Unauthenticated, Unavailable } from '../fault.js';
import type { Log } from '../log.js';
import { securityHeaders } from './security-headers.js';

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
    const status = error.statusCode ?? 500;
    // Nobody is left to read it: the connection ended, or was ended, in the middle of the request.
    if (request.raw.readableAborted) return refuse(reply, 400, 'the request ended before its body did');
    if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
      const found = quoted(request.headers['content-type'] ?? 'no content-type');
      return refuse(reply, 415, `content-type: found ${found}; allowed: application/json`);
    }
    if (error instanceof Refusal) {
      reply.headers(error.headers);
      return refuse(reply, error.statusCode, error.message, error.graphqlCode);
    }
    const isInside = error instanceof Unavailable || error instanceof OutcomeUnknown;
    if (!isInside && status >= 400 && status < 500) return refuse(reply, status, error.message);
    const absent = absence(error, request.id, log);
    return reply.code(absent.status).send(absent.body);
  });
}

/** What Fastify can't even route: an address that is none. It has answered in a form of its own otherwise. */
export function refuseUnroutable(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  reply.headers({ ...securityHeaders, 'x-request-id': reply.request.id });
  const isTooLong = error.code === 'FST_ERR_MAX_PARAM_LENGTH';
  void refuse(
    reply,
    isTooLong ? 414 : 400,
    isTooLong ? 'the address is too long' : 'the address can not be read',
  );
}

/** What is said, and logged, where a fault of ours has kept the whole answer away. */
export function absence(error: unknown, requestId: string, log: Log): { status: number; body: object } {
  if (error instanceof Unavailable || error instanceof OutcomeUnknown) {
    const code = error instanceof Unavailable ? 'UNAVAILABLE' : 'OUTCOME_UNKNOWN';
    const event = error.cause === undefined ? 'deadline' : 'unavailable';
    const cause = error.cause instanceof Error ? error.cause.message : undefined;
    log.warn({ event, requestId, code, cause }, error.message);
    return { status: 503, body: refusalBody(error.message, code, requestId) };
  }
  log.error({ event: 'internal-error', requestId, err: error }, 'a request failed inside');
  const message = 'something went wrong inside; the log has it under the requestId';
  return { status: 500, body: refusalBody(message, 'INTERNAL_SERVER_ERROR', requestId) };
}

function refuse(reply: FastifyReply, status: number, message: string, code = 'BAD_USER_INPUT') {
  return reply.code(status).send(refusalBody(message, code, reply.request.id));
}

function refusalBody(message: string, code: string, requestId: string) {
  return { errors: [{ message, extensions: { code, requestId } }] };
}

class Refusal extends Error {
  readonly statusCode: number;
  readonly graphqlCode: string;
  readonly headers: Record<string, string>;

  constructor(statusCode: number, message: string, code: string, headers: Record<string, string>) {
    super(message);
    this.statusCode = statusCode;
    this.graphqlCode = code;
    this.headers = headers;
  }
}

/** Thrown while a request is read: answered with that status. */
export function refusal(
  statusCode: number,
  message: string,
  code = 'BAD_USER_INPUT',
  headers: Record<string, string> = {},
): Error {
  return new Refusal(statusCode, message, code, headers);
}
