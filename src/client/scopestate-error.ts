/**
 * What went wrong: the codes of the API, and three of the client's own.
 *
 * - `NO_ANSWER`: the server could not be reached, or the connection broke
 * - `TIMEOUT`: no whole answer in time
 * - `BAD_ANSWER`: something answered, but not scopestate: look at the URL
 */
export type ErrorCode =
  | 'BAD_USER_INPUT'
  | 'GRAPHQL_PARSE_FAILED'
  | 'GRAPHQL_VALIDATION_FAILED'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'RATE_LIMITED'
  | 'UNAVAILABLE'
  | 'OUTCOME_UNKNOWN'
  | 'INTERNAL_SERVER_ERROR'
  | 'NO_ANSWER'
  | 'TIMEOUT'
  | 'BAD_ANSWER';

/** How one attempt failed. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly requestId: string;
  readonly field?: string | undefined;
  readonly status?: number | undefined;
  readonly cause?: unknown;
}

/** A request that came to nothing, after all the attempts that it was worth. Outcomes, `STALE` too, are never errors. */
export class ScopestateError extends Error {
  override readonly name = 'ScopestateError';
  /** what went wrong; decide on this, never on the message */
  readonly code: ErrorCode;
  /** the last attempt's id, under which the server's log has it */
  readonly requestId: string;
  /** which field of the input is at fault, where the code is `BAD_USER_INPUT` and the server could tell */
  readonly field: string | undefined;
  /** the HTTP status, if there was an answer */
  readonly status: number | undefined;
  /** false: nothing was done, for sure. True: the answer to an attempt was lost, so the request may have been done. */
  readonly mayBeDone: boolean;

  /** Made by the client only. */
  constructor({ code, message, requestId, field, status, cause }: Failure, mayBeDone: boolean) {
    super(`${code}: ${message} (request ${requestId})`, { cause });
    this.code = code;
    this.requestId = requestId;
    this.field = field;
    this.status = status;
    this.mayBeDone = mayBeDone;
  }
}

/** Says which of the caller's items was at fault, where the server could only tell its place in a batch. */
export function inCallersPlaces(error: unknown, places: readonly number[]): unknown {
  if (!(error instanceof ScopestateError) || error.field === undefined) return error;
  const field = error.field.replace(/\[(\d+)\]/, (_all, place) => `[${places[Number(place)]}]`);
  return Object.assign(error, { field, message: error.message.replace(error.field, field) });
}
