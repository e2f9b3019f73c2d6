import {
  createSourceEventStream,
  execute,
  getOperationAST,
  GraphQLError,
  OperationTypeNode,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLFormattedError,
  type GraphQLSchema,
} from 'graphql';
import type { CallContext } from '../caller/caller.js';
import type { Log } from '../log.js';
import type { Callers } from './callers.js';
import type { Documents } from './documents/documents.js';
import { Untrusted } from './documents/trusted-documents.js';
import { createErrorFormat } from './error-format.js';
import { documentOfEvents } from './documents/event-document.js';
import { weightOf } from './subscription-weight.js';
import { inRequestOf, isAnonymous, type RequestContext } from './request-scope.js';

/** Shorter than the minute after which proxies take a silent connection for dead. */
export const pingMillis = 12_000;

/**
 * So many bytes may a subscriber send: a filter of 1,000 scope ids with 256 characters of four bytes each, and a document. A body
 * of a mutation may have more, for its 1,000 units have four texts each, and it is not kept for long.
 */
export const largestSubscription = 1_048_576;

/** What a subscriber sends, over whatever transport. */
export interface SubscribeRequest {
  query: string;
  variables?: Record<string, unknown> | null | undefined;
  operationName?: string | null | undefined;
  documentId?: unknown;
  extensions?: unknown;
}

/** A result whose errors have the form that they have over HTTP. */
export interface StreamedResult {
  data?: unknown;
  errors?: GraphQLFormattedError[];
}

/** Subscriptions without their transport; every error has a code and the request's id. */
export interface Subscribe {
  /**
   * What graphql-js needs, or why it is not asked. Empties the request: its transport may hold it as long as the subscription
   * lives.
   */
  prepare(request: SubscribeRequest, context: RequestContext): ExecutionArgs | GraphQLFormattedError[];
  /** Counted until it ends. What only the start needs is taken out of `args`, for the same reason. */
  start(args: ExecutionArgs): Promise<AsyncGenerator<ExecutionResult, void, void> | ExecutionResult>;
  shape(result: ExecutionResult, context: CallContext): StreamedResult;
  shapeErrors(errors: readonly GraphQLError[], context: CallContext): GraphQLFormattedError[];
}

export interface SubscribeOptions {
  schema: GraphQLSchema;
  log: Log;
  documents: Documents;
  callers: Callers;
  hidesSchema: boolean;
}

export function createSubscribe({
  schema,
  log,
  documents,
  callers,
  hidesSchema,
}: SubscribeOptions): Subscribe {
  const format = createErrorFormat(log, { hidesSchema });
  const shapeErrors = (errors: readonly GraphQLError[], context: CallContext) =>
    inRequestOf(context, () => errors.map((error) => format(error.toJSON(), error)));
  return {
    shapeErrors,
    prepare: (request, context) => {
      const asked = { ...request };
      for (const name of Object.keys(request)) Reflect.deleteProperty(request, name);
      const refused = callers.subscriptionRefusal(context.countedAs);
      if (refused) return shapeErrors([refused], context);
      const document = read(documents, asked, context);
      if (Array.isArray(document)) return shapeErrors(document, context);
      return {
        schema,
        document,
        contextValue: context,
        variableValues: asked.variables ?? null,
        operationName: asked.operationName ?? null,
      };
    },
    start: async (args) => {
      const context = args.contextValue as RequestContext;
      const { countedAs } = context;
      const bytes = weightOf(args);
      const refused = callers.subscriptionRefusal(countedAs, bytes); // once more: others that came with it have begun
      if (refused) return { errors: [refused] };
      const end = callers.beginSubscription(countedAs, bytes);
      try {
        const started = await inRequestOf(context, () => createSourceEventStream(args));
        if (Symbol.asyncIterator in started) {
          keepForEvents(args);
          return resultsOf(started[Symbol.asyncIterator](), args, end);
        }
        end();
        return started;
      } catch (error) {
        end();
        throw error;
      }
    },
    shape: ({ data, errors }, context) => ({
      ...(errors && { errors: shapeErrors(errors.map(coded), context) }),
      ...(data !== undefined && { data }),
    }),
  };
}

/** The variables have chosen the events; what an event shows seldom depends on them. */
function keepForEvents(args: ExecutionArgs): void {
  args.document = documentOfEvents(args.document, args.operationName);
  const { variableDefinitions = [] } = getOperationAST(args.document, args.operationName)!;
  const used = variableDefinitions.map(({ variable }) => variable.name.value);
  const given = Object.entries(args.variableValues ?? {});
  args.variableValues = Object.fromEntries(given.filter(([name]) => used.includes(name)));
}

/** A result for each event; tells when there are no more, or nobody wants them any longer. */
function resultsOf(
  events: AsyncIterator<unknown, unknown>,
  args: ExecutionArgs,
  end: () => void,
): AsyncGenerator<ExecutionResult, void, void> {
  const last = { done: true, value: undefined } as const;
  const ended = () => {
    end();
    return last;
  };
  const closed = async (): Promise<void> => {
    end();
    await events.return?.();
  };
  const stream: AsyncGenerator<ExecutionResult, void, void> = {
    next: async () => {
      try {
        const { done, value: rootValue } = await events.next();
        if (done) return ended();
        return { done: false, value: await execute({ ...args, rootValue }) };
      } catch (error) {
        await closed().catch(() => undefined); // what failed first is told
        throw error;
      }
    },
    return: async () => {
      await closed();
      return last;
    },
    throw: async (error) => {
      await closed();
      throw error;
    },
    [Symbol.asyncIterator]: () => stream,
    [Symbol.asyncDispose]: async () => void (await stream.return()),
  };
  return stream;
}

function read(
  documents: Documents,
  request: SubscribeRequest,
  context: CallContext,
): DocumentNode | GraphQLError[] {
  const { operationName, variables } = request;
  let document: DocumentNode;
  try {
    const found = documents.read(documents.trusted?.textOf(request) ?? request.query);
    if (!('kind' in found)) return found.map((fault) => withCode(fault, 'GRAPHQL_VALIDATION_FAILED'));
    document = found;
  } catch (error) {
    if (error instanceof Untrusted) return [forbidden(error.message)];
    return [withCode(error as GraphQLError, 'GRAPHQL_PARSE_FAILED')];
  }
  const operation = getOperationAST(document, operationName);
  if (!operation)
    return [
      badInput('operationName: found none, or one that is not there; allowed: one of the operations sent'),
    ];
  if (operation.operation === OperationTypeNode.SUBSCRIPTION) {
    const refused = documents.refusalOf(document, operation, variables, isAnonymous(context));
    return refused ? [refused] : document;
  }
  return [
    badInput(`found a ${operation.operation}; allowed here: a subscription; others go to POST /graphql`),
  ];
}

/** What graphql-js refuses before a resolver is asked has no place in the answer: the variables are at fault. */
function coded(error: GraphQLError): GraphQLError {
  return error.path === undefined && error.extensions['code'] === undefined
    ? withCode(error, 'BAD_USER_INPUT')
    : error;
}

function forbidden(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'FORBIDDEN' } });
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
