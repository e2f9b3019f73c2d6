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
import type { CallContext } from '../caller/caller.js';
import type { Log } from '../log.js';
import type { Admission } from './admission.js';
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

/** A subscription's answer has no end; what follows on a mutation must not keep its answer waiting. */
function operationKinds(onMutation: () => void): ApolloServerPlugin<CallContext> {
  const listener: GraphQLRequestListener<CallContext> = {
    didResolveOperation: ({ operation }) => {
      if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) return Promise.resolve();
      throw new GraphQLError(
        'a subscription needs a WebSocket (subprotocol graphql-transport-ws) at /graphql, or /graphql/stream',
        { extensions: { code: 'BAD_USER_INPUT' } },
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
export async function addGraphQLEndpoint(
  server: FastifyInstance,
  schema: GraphQLSchema,
  log: Log,
  admission: Admission,
  onMutation: () => void,
): Promise<void> {
  const apollo = new ApolloServer<CallContext>({
    schema,
    plugins: [...disabled, operationKinds(onMutation)],
    introspection: true,
    csrfPrevention: true,
    persistedQueries: false,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    formatError: createErrorFormat(log),
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
    handler: (request, reply) =>
      wantsPlayground(request)
        ? sendPlayground(reply)
        : answer(apollo, request, reply, admission.contextOf(request)),
  });
}

async function answer(
  apollo: ApolloServer<CallContext>,
  request: FastifyRequest,
  reply: FastifyReply,
  context: CallContext,
) {
  const question = request.url.indexOf('?');
  const response = await apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: {
      method: request.method,
      headers: headersOf(request),
      search: question < 0 ? '' : request.url.slice(question),
      body: request.body,
    },
    context: () => Promise.resolve(context),
  });
  for (const [name, value] of response.headers) reply.header(name, value);
  reply.code(response.status ?? 200);
  if (response.body.kind === 'complete') return reply.send(response.body.string);
  throw new Error('an incremental answer to a query that asked for none');
}

function headersOf(request: FastifyRequest): HeaderMap {
  const headers = new HeaderMap();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return headers;
}
