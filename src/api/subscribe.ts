import {
  getOperationAST,
  GraphQLError,
  OperationTypeNode,
  parse,
  subscribe,
  validate,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLFormattedError,
  type GraphQLSchema,
} from 'graphql';
import type { CallContext } from '../caller/caller.js';
import type { Log } from '../log.js';
import { createErrorFormat } from './error-format.js';
import { inRequest } from './request-scope.js';

/** Shorter than the minute after which proxies take a silent connection for dead. */
export const pingMillis = 12_000;

/** What a subscriber sends, over whatever transport. */
export interface SubscribeRequest {
  query: string;
  variables?: Record<string, unknown> | null | undefined;
  operationName?: string | null | undefined;
}

/** A result whose errors have the form that they have over HTTP. */
export interface StreamedResult {
  data?: unknown;
  errors?: GraphQLFormattedError[];
}

/** Subscriptions without their transport; every error has a code and the request's id. */
export interface Subscribe {
  /** what graphql-js needs, or why it is not asked */
  prepare(request: SubscribeRequest, context: CallContext): ExecutionArgs | GraphQLFormattedError[];
  start(args: ExecutionArgs): Promise<AsyncGenerator<ExecutionResult, void, void> | ExecutionResult>;
  shape(result: ExecutionResult, requestId: string): StreamedResult;
  shapeErrors(errors: readonly GraphQLError[], requestId: string): GraphQLFormattedError[];
}

export function createSubscribe(schema: GraphQLSchema, log: Log): Subscribe {
  const format = createErrorFormat(log);
  const shapeErrors = (errors: readonly GraphQLError[], requestId: string) =>
    inRequest(requestId, () => errors.map((error) => format(error.toJSON(), error)));
  return {
    shapeErrors,
    prepare: (request, context) => {
      const document = read(schema, request);
      if (Array.isArray(document)) return shapeErrors(document, context.caller.requestId);
      return {
        schema,
        document,
        contextValue: context,
        variableValues: request.variables ?? null,
        operationName: request.operationName ?? null,
      };
    },
    start: (args) => {
      const { requestId } = (args.contextValue as CallContext).caller;
      const started: unknown = inRequest(requestId, () => subscribe(args));
      return started as ReturnType<Subscribe['start']>;
    },
    shape: ({ data, errors }, requestId) => ({
      ...(errors && { errors: shapeErrors(errors.map(coded), requestId) }),
      ...(data !== undefined && { data }),
    }),
  };
}

function read(
  schema: GraphQLSchema,
  { query, operationName }: SubscribeRequest,
): DocumentNode | GraphQLError[] {
  let document: DocumentNode;
  try {
    document = parse(query);
  } catch (error) {
    return [withCode(error as GraphQLError, 'GRAPHQL_PARSE_FAILED')];
  }
  const faults = validate(schema, document);
  if (faults.length > 0) return faults.map((fault) => withCode(fault, 'GRAPHQL_VALIDATION_FAILED'));
  const operation = getOperationAST(document, operationName);
  if (!operation)
    return [
      badInput('operationName: found none, or one that is not there; allowed: one of the operations sent'),
    ];
  if (operation.operation === OperationTypeNode.SUBSCRIPTION) return document;
  return [
    badInput(`found a ${operation.operation}; allowed here: a subscription; others go to POST /graphql`),
  ];
}

/** What graphql-js refuses before a resolver is asked has no place in the answer: the variables are at fault. */
function coded(error: GraphQLError): GraphQLError {
  return error.path === undefined ? withCode(error, 'BAD_USER_INPUT') : error;
}

function badInput(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  return new GraphQLError(error.message, {
    nodes: error.nodes ?? null,
    source: error.source ?? null,
    positions: error.positions ?? null,
    extensions: { code },
  });
}
