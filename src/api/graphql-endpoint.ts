import {
  ApolloServer,
  HeaderMap,
  type ApolloServerPlugin,
  type GraphQLRequestListener,
} from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError, OperationTypeNode, type GraphQLSchema } from 'graphql';
import type { Caller, CallContext } from '../caller/caller.js';
import type { Log } from '../log.js';
import type { Admission } from './admission.js';
import { withinDeadline } from './deadline.js';
import { mostCoercionErrors } from './documents/cost-limit.js';
import type { Documents } from './documents/documents.js';
import { forgetTokens } from './documents/forget-tokens.js';
import { Untrusted, type DocumentWanted } from './documents/trusted-documents.js';
import { refusal } from './http-errors.js';
import { ValidatedDocuments, type KnownDocuments } from './known-documents.js';
import { isAnonymous } from './request-scope.js';
import { createErrorFormat } from './error-format.js';
import { addPlaygroundAssets, sendPlayground, wantsPlayground } from './playground/playground.js';

/** On by default, and of no use here: they cost time on each request, or would talk to a host outside. */
const disabled: ApolloServerPlugin<CallContext>[] = [
  ApolloServerPluginCacheControlDisabled(),
  ApolloServerPluginInlineTraceDisabled(),
  ApolloServerPluginLandingPageDisabled(),
  ApolloServerPluginSchemaReportingDisabled(),
  ApolloServerPluginUsageReportingDisabled(),
];

/** Requests whose operation is one: whether it was done can't be told before its answer. */
const mutations = new WeakSet<Caller>();

export interface EndpointOptions {
  schema: GraphQLSchema;
  log: Log;
  admission: Admission;
  documents: Documents;
  /** learns which documents run */
  known: KnownDocuments;
  deadlineMillis: number;
  hidesSchema: boolean;
  onMutation: () => void;
}

/** A subscription's answer has no end; what follows on a mutation must not keep its answer waiting. */
function operationKinds({ documents, known, onMutation }: EndpointOptions): ApolloServerPlugin<CallContext> {
  const listener: GraphQLRequestListener<CallContext> = {
    parsingDidStart: (parsed) =>
      Promise.resolve(() => {
        if (parsed.document) forgetTokens(parsed.document);
        return Promise.resolve();
      }),
    didResolveOperation: ({ operation, document, source, request, contextValue }) => {
      if (operation?.operation === OperationTypeNode.MUTATION) mutations.add(contextValue.caller);
      if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) {
        const refused =
          operation && documents.refusalOf(document, operation, request.variables, isAnonymous(contextValue));
        if (refused) throw refused;
        if (operation) known.remember(source, document);
        return Promise.resolve();
      }
      throw new GraphQLError(
        'a subscription needs a WebSocket (subprotocol graphql-transport-ws) at /graphql, or /graphql/stream',
        { extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } } },
      );
    },
    willSendResponse: ({ operation }) => {
      if (operation?.operation === OperationTypeNode.MUTATION) onMutation();
      return Promise.resolve();
    },
  };
  return { requestDidStart: () => Promise.resolve(listener) };
}

/** GraphQL over HTTP at /graphql; for a browser, its playground. */
export async function addGraphQLEndpoint(server: FastifyInstance, options: EndpointOptions): Promise<void> {
  const { schema, log, admission, documents, hidesSchema } = options;
  const apollo = new ApolloServer<CallContext>({
    schema,
    plugins: [...disabled, operationKinds(options)],
    introspection: true,
    csrfPrevention: true,
    persistedQueries: false,
    documentStore: new ValidatedDocuments(),
    parseOptions: documents.parseOptions,
    validationRules: documents.rules,
    validationOptions: documents.validationOptions,
    executionOptions: { maxCoercionErrors: mostCoercionErrors },
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    formatError: createErrorFormat(log, { hidesSchema }),
    logger: {
      debug: (message) => log.debug({ event: 'apollo' }, String(message)),
      info: (message) => log.debug({ event: 'apollo' }, String(message)),
      warn: (message) => log.warn({ event: 'apollo' }, String(message)),
      error: (message) => log.error({ event: 'apollo' }, String(message)),
    },
  });
  await apollo.start();
  await addPlaygroundAssets(server);
  server.addHook('onClose', () => apollo.stop());
  server.get('/', (request, reply) =>
    wantsPlayground(request) ? reply.redirect('graphql') : reply.callNotFound(),
  );
  server.route({
    method: ['GET', 'POST'],
    url: '/graphql',
    // The page has to load before anybody can write a token into it.
    onRequest: async (request, reply) => {
      if (!wantsPlayground(request)) await admission.letIn(request, reply);
    },
    preHandler: admission.lookAgain,
    handler: (request, reply) =>
      wantsPlayground(request) ? sendPlayground(reply) : answer(apollo, options, request, reply),
  });
}

async function answer(
  apollo: ApolloServer<CallContext>,
  { admission, documents, deadlineMillis }: EndpointOptions,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const context = admission.contextOf(request);
  const work = apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: {
      method: request.method,
      headers: headersOf(request),
      ...asked(request, documents),
    },
    context: () => Promise.resolve(context),
  });
  const response = await withinDeadline(work, deadlineMillis, () => mutations.has(context.caller));
  for (const [name, value] of response.headers) reply.header(name, value);
  if (response.body.kind === 'complete') {
    const { status = 200, body, headers } = response;
    reply.code(status === 200 && isWithoutData(headers.get('content-type'), body.string) ? 400 : status);
    return reply.send(body.string);
  }
  throw new Error('an incremental answer to a query that asked for none');
}

/** Of this type, what has no data has no status of success; Apollo says 200 to who asks for a persisted query. */
function isWithoutData(contentType: string | undefined, text: string): boolean {
  if (!contentType?.startsWith('application/graphql-response+json') || !text.startsWith('{"errors"'))
    return false;
  return !Object.hasOwn(JSON.parse(text) as object, 'data');
}

/** What Apollo gets to read; where only trusted documents run, one of them, however it was asked for. */
function asked(request: FastifyRequest, { trusted }: Documents): { search: string; body: unknown } {
  const sent = { search: searchOf(request), body: request.body };
  if (!trusted) return sent;
  try {
    if (request.method === 'GET') {
      const search = new URLSearchParams(sent.search);
      const query = trusted.textOf({
        query: search.get('query') ?? undefined,
        documentId: search.get('documentId') ?? undefined,
        extensions: extensionsOf(search.get('extensions')),
      });
      search.set('query', query);
      search.delete('extensions');
      return { ...sent, search: `?${search.toString()}` };
    }
    const { extensions: _, ...body } = (sent.body ?? {}) as DocumentWanted;
    return { ...sent, body: { ...body, query: trusted.textOf(sent.body ?? {}) } };
  } catch (error) {
    if (error instanceof Untrusted) throw refusal(403, error.message, 'FORBIDDEN');
    throw error;
  }
}

/** An empty `operationName` is none (GraphQL over HTTP, GET). */
function searchOf({ url }: FastifyRequest): string {
  const question = url.indexOf('?');
  if (question < 0) return '';
  const search = new URLSearchParams(url.slice(question));
  if (search.get('operationName') !== '') return url.slice(question);
  search.delete('operationName');
  return `?${search.toString()}`;
}

function extensionsOf(text: string | null): unknown {
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function headersOf(request: FastifyRequest): HeaderMap {
  const headers = new HeaderMap();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return headers;
}
