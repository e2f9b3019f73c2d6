import { createServer } from 'node:http';
import { GraphQLScalarType } from 'graphql';
import { createSchema, createYoga } from 'graphql-yoga';
import { listening } from './listening.js';
import { dateTime, resolversOver, typeDefs } from './schema.js';
import { openPool, Store } from './store.js';

const yoga = createYoga({
  schema: createSchema({
    typeDefs,
    resolvers: {
      ...resolversOver(new Store(openPool())),
      DateTime: new GraphQLScalarType({ name: 'DateTime', ...dateTime }),
    },
  }),
  graphiql: false,
  landingPage: false,
  logging: false,
});
const server = createServer(yoga);
server.listen(0, '127.0.0.1', () => listening(server.address().port));
