import { unwrapResolverError } from '@apollo/server/errors';
import type { GraphQLFormattedError } from 'graphql';
import { BadInput, Forbidden, OutcomeUnknown, Unauthenticated, Unavailable } from '../fault.js';
import type { Log } from '../log.js';
import { currentRequestId, isAnonymousNow } from './request-scope.js';

/** A message repeats what was sent, which can be as long as a body. */
const longestMessage = 1_000;

/**
 * How messages of graphql-js begin to which it gives no code: a query asks for a kind of operation that the schema has
 * not; what follows on as many faults in the variables as are told; and an argument that its variables make a wrong one.
 */
const uncoded = ['Schema is not configured to execute', 'Too many errors processing variables', 'Argument "'];

/** Codes of graphql-js and Apollo that stay, or become one of ours (DESIGN.md, chapter 3). */
const clientCodes: Record<string, string> = {
  BAD_USER_INPUT: 'BAD_USER_INPUT',
  RATE_LIMITED: 'RATE_LIMITED',
  FORBIDDEN: 'FORBIDDEN',
  BAD_REQUEST: 'BAD_USER_INPUT',
  UNAUTHENTICATED: 'UNAUTHENTICATED',
  GRAPHQL_PARSE_FAILED: 'GRAPHQL_PARSE_FAILED',
  GRAPHQL_VALIDATION_FAILED: 'GRAPHQL_VALIDATION_FAILED',
  OPERATION_RESOLUTION_FAILURE: 'BAD_USER_INPUT',
  PERSISTED_QUERY_NOT_SUPPORTED: 'BAD_USER_INPUT',
};

/** One error as a caller sees it: always a code of ours and the request's id, never what it was inside. */
export function createErrorFormat(
  log: Log,
  { hidesSchema = false } = {},
): (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError {
  return (formatted, error) => {
    const { message, code, field } = publicView(formatted, unwrapResolverError(error), log);
    const { locations, path } = formatted;
    return {
      message: shown(message, hidesSchema && isAnonymousNow()),
      ...(locations && { locations }),
      ...(path && { path }),
      extensions: { code, ...(field !== undefined && { field }), requestId: currentRequestId() },
    };
  };
}

interface PublicView {
  message: string;
  code: string;
  field?: string;
}

function publicView(formatted: GraphQLFormattedError, fault: unknown, log: Log): PublicView {
  if (fault instanceof BadInput)
    return { message: fault.message, code: 'BAD_USER_INPUT', field: fault.field };
  if (fault instanceof Unauthenticated) return { message: fault.message, code: 'UNAUTHENTICATED' };
  if (fault instanceof Forbidden) return { message: fault.message, code: 'FORBIDDEN' };
  if (fault instanceof Unavailable) {
    log.warn({ event: 'unavailable', requestId: currentRequestId(), cause: causeOf(fault) }, fault.message);
    return { message: fault.message, code: 'UNAVAILABLE' };
  }
  if (fault instanceof OutcomeUnknown) {
    log.error(
      { event: 'outcome-unknown', requestId: currentRequestId(), cause: causeOf(fault) },
      fault.message,
    );
    return {
      message: `${fault.message}: look at the state, or send the same again`,
      code: 'OUTCOME_UNKNOWN',
    };
  }
  const isUncoded = uncoded.some((beginning) => formatted.message.startsWith(beginning));
  const code = isUncoded ? 'BAD_USER_INPUT' : clientCodes[String(formatted.extensions?.['code'])];
  if (code !== undefined) return { ...explained(formatted.message), code };
  log.error(
    { event: 'internal-error', requestId: currentRequestId(), err: fault },
    'a request failed inside',
  );
  return {
    message: 'something went wrong inside; the log has it under the requestId',
    code: 'INTERNAL_SERVER_ERROR',
  };
}

/** graphql-js guesses at the names that were meant: whoever may not see the schema could read it from the guesses. */
function shown(message: string, hidesSchema: boolean): string {
  const text = hidesSchema ? message.replaceAll(/ Did you mean [^?]*\?/g, '') : message;
  const cut = text.length > longestMessage ? `${text.slice(0, longestMessage)}…` : text;
  return cut.toWellFormed(); // a strict reader of JSON refuses the whole answer for half of a surrogate pair
}

/** graphql-js names an argument or a variable, and the place in it, in the text only. */
function explained(message: string): { message: string; field?: string } {
  const [, argument] = /^Argument "(\w+)" has invalid value/.exec(message) ?? [];
  // Its literals have been validated: only variables can have made it wrong.
  if (argument !== undefined) return { message: `${message} ${wrongByVariables}`, field: argument };
  const [, variable] = /^Variable "\$(\w+)"/.exec(message) ?? [];
  if (variable === undefined) return { message };
  const place = [...message.matchAll(/ at "([\w.[\]]+)"; /g)].find(([, path]) => path?.startsWith(variable));
  const [, missing] = /; Field "(\w+)" of required type "[^"]+" was not provided\.$/.exec(message) ?? [];
  return { message, field: [place?.[1] ?? variable, ...(missing ? [missing] : [])].join('.') };
}

const wrongByVariables =
  'A variable in it was left out, or is null, where a value is needed: of a "@oneOf" type, exactly one field has to have one.';

function causeOf(fault: Error): string {
  return fault.cause instanceof Error ? fault.cause.message : String(fault.cause);
}
