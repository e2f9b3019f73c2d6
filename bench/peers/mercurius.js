import Fastify from 'fastify';
import { GraphQLScalarType } from 'graphql';
import mercurius from 'mercurius';
import { listening } from './listening.js';
import { dateTime, resolversOver, typeDefs } from './schema.js';
import { openPool, Store } from './store.js';

const app = Fastify({ bodyLimit: 4 * 2 ** 20 });
await app.register(mercurius, {
  schema: typeDefs,
  resolvers: {
    ...resolversOver(new Store(openPool())),
    DateTime: new GraphQLScalarType({ name: 'DateTime', ...dateTime }),
  },
  jit: 1,
});
await app.listen({ host: '127.0.0.1', port: 0 });
listening(app.server.address().port);
