import type { ErrorCode, Failure } from './scopestate-error.js';

/** One attempt: a request as it goes over the wire, once. */
export interface Attempt {
  readonly url: string;
  readonly body: string;
  readonly token: string | undefined;
  readonly requestId: string;
  readonly timeoutMillis: number;
  readonly signal: AbortSignal | undefined;
  readonly fetch: typeof fetch;
}

/**
 * - `wait`: nothing was done; the same request may be taken later
 * - `lost`: it may have been done; whoever may do it twice sends it again
 * - `refused`: nothing was done, and nothing ever will be
 * - `broken`: it may have been done, and another attempt would end the same way
 */
export type FailureKind = 'wait' | 'lost' | 'refused' | 'broken';

/** What an attempt came to. */
export type Answer =
  | { readonly kind: 'data'; readonly data: unknown }
  | { readonly kind: FailureKind; readonly failure: Failure; readonly retryAfterMillis?: number | undefined };

const kindOf: Record<ErrorCode, FailureKind> = {
  BAD_USER_INPUT: 'refused',
  GRAPHQL_PARSE_FAILED: 'refused',
  GRAPHQL_VALIDATION_FAILED: 'refused',
  UNAUTHENTICATED: 'refused',
  FORBIDDEN: 'refused',
  RATE_LIMITED: 'wait',
  UNAVAILABLE: 'wait',
  OUTCOME_UNKNOWN: 'lost',
  NO_ANSWER: 'lost',
  TIMEOUT: 'lost',
  INTERNAL_SERVER_ERROR: 'broken',
  BAD_ANSWER: 'broken',
};

/** Statuses with which something else than scopestate may have answered, in GraphQL's words or not. */
const codeOfStatus: Record<number, ErrorCode> = {
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  429: 'RATE_LIMITED',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'UNAVAILABLE',
};

/** How a connection fails before a byte of the request has left. */
const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Sends a request once and tells what came of it; throws nothing but the caller's own abort. */
export async function exchange(attempt: Attempt): Promise<Answer> {
  const { url, body, token, requestId, timeoutMillis, signal, fetch } = attempt;
  const timeout = AbortSignal.timeout(timeoutMillis);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json',
        'x-request-id': requestId,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body,
      redirect: 'manual', // followed, a POST would become a GET
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    return read(response, await response.text(), requestId);
  } catch (cause) {
    signal?.throwIfAborted();
    if (timeout.aborted) {
      const message = `no whole answer within ${timeoutMillis} ms`;
      return { kind: 'lost', failure: { code: 'TIMEOUT', message, requestId, cause } };
    }
    const reason = networkCode(cause);
    const message = `${url} gave no answer: ${innermostMessage(cause)}`;
    return {
      kind: reason !== undefined && neverSent.has(reason) ? 'wait' : 'lost',
      failure: { code: 'NO_ANSWER', message, requestId, cause },
    };
  }
}

interface Body {
  data?: unknown;
  errors?: { message?: string; extensions?: { code?: string; requestId?: string; field?: string } }[];
}

function read({ status, headers }: Response, text: string, sentId: string): Answer {
  const body = parse(text);
  const error = body?.errors?.[0];
  if (status === 200 && error === undefined && body?.data) return { kind: 'data', data: body.data };
  const { code: named, field, requestId = headers.get('x-request-id') ?? sentId } = error?.extensions ?? {};
  const ours = named !== undefined && Object.hasOwn(kindOf, named) ? (named as ErrorCode) : undefined;
  const code = ours ?? codeOfStatus[status] ?? 'BAD_ANSWER';
  return {
    // A gateway says 503 also when the server broke while it was at work; only the server's own word is a promise.
    kind: ours === undefined && code === 'UNAVAILABLE' ? 'lost' : kindOf[code],
    failure: {
      code,
      message: error?.message ?? `found status ${status} with ${JSON.stringify(text.slice(0, 100))}`,
      requestId,
      field,
      status,
    },
    retryAfterMillis: delayOf(headers.get('retry-after')),
  };
}

function parse(text: string): Body | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? body : undefined;
  } catch {
    return undefined;
  }
}

/** RFC 9110: whole seconds, or a date. */
function delayOf(retryAfter: string | null): number | undefined {
  if (retryAfter === null) return undefined;
  if (/^\d+$/.test(retryAfter)) return Number(retryAfter) * 1000;
  const date = Date.parse(retryAfter);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** fetch says "fetch failed" only; what it was, is in the cause, or in several: one for each address of a name. */
function innermostMessage(error: unknown): string {
  const { cause, errors, message } = Object(error) as Partial<AggregateError>;
  if (cause !== undefined) return innermostMessage(cause);
  if (errors !== undefined && errors.length > 0) return errors.map(innermostMessage).join(', ');
  return message || networkCode(error) || String(error);
}

/** Of the outermost error that has one. */
function networkCode(error: unknown): string | undefined {
  for (let at = error as { code?: unknown; cause?: unknown } | undefined; at; at = at.cause as typeof at) {
    if (typeof at.code === 'string') return at.code;
  }
  return undefined;
}
