import { unwrapResolverError } from '@apollo/server/errors';
import type { GraphQLFormattedError } from 'graphql';
import { BadInput, OutcomeUnknown, Unavailable } from '../fault.js';
import type { Log } from '../log.js';
import { currentRequestId } from './request-scope.js';

/** graphql-js gives no code where a query asks for a kind of operation that the schema has not, such as a subscription. */
const noSuchOperation = 'Schema is not configured to execute';

/** Codes of graphql-js and Apollo that stay, or become one of ours (DESIGN.md, chapter 3). */
const clientCodes: Record<string, string> = {
  BAD_USER_INPUT: 'BAD_USER_INPUT',
  BAD_REQUEST: 'BAD_USER_INPUT',
  GRAPHQL_PARSE_FAILED: 'GRAPHQL_PARSE_FAILED',
  GRAPHQL_VALIDATION_FAILED: 'GRAPHQL_VALIDATION_FAILED',
  OPERATION_RESOLUTION_FAILURE: 'BAD_USER_INPUT',
  [noSuchOperation]: 'BAD_USER_INPUT',
  PERSISTED_QUERY_NOT_SUPPORTED: 'BAD_USER_INPUT',
};

/** One error as a caller sees it: always a code of ours and the request's id, never what it was inside. */
export function createErrorFormat(
  log: Log,
): (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError {
  return (formatted, error) => {
    const { message, code, field } = publicView(formatted, unwrapResolverError(error), log);
    const { locations, path } = formatted;
    return {
      message,
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
  const given = formatted.message.startsWith(noSuchOperation)
    ? noSuchOperation
    : formatted.extensions?.['code'];
  const code = clientCodes[String(given)];
  if (code !== undefined) {
    return { message: shortened(formatted.message), code, ...variableField(formatted.message) };
  }
  log.error(
    { event: 'internal-error', requestId: currentRequestId(), err: fault },
    'a request failed inside',
  );
  return {
    message: 'something went wrong inside; the log has it under the requestId',
    code: 'INTERNAL_SERVER_ERROR',
  };
}

const longestMessage = 800;

/** graphql-js quotes the value that it refuses whole, however long it is; what it says of it stands behind. */
function shortened(message: string): string {
  if (message.length <= longestMessage) return message;
  const half = longestMessage / 2;
  return `${message.slice(0, half)} … ${message.slice(-half)}`.toWellFormed();
}

/** graphql-js names the variable, and the place in it, in the text only. */
function variableField(message: string): { field?: string } {
  const [, variable] = /^Variable "\$(\w+)"/.exec(message) ?? [];
  if (variable === undefined) return {};
  const place = [...message.matchAll(/ at "([\w.[\]]+)"; /g)].find(([, path]) => path?.startsWith(variable));
  return { field: place?.[1] ?? variable };
}

function causeOf(fault: Error): string {
  return fault.cause instanceof Error ? fault.cause.message : String(fault.cause);
}
