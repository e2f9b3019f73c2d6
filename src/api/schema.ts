import 'reflect-metadata';
import { GraphQLInputObjectType, type GraphQLSchema, type OperationTypeNode } from 'graphql';
import type { CallContext } from '../caller/caller.js';
import { buildSchema, type ClassType, type NonEmptyArray, type PubSub } from 'type-graphql';
import { authChecker, requireRules } from './authorization.js';
import { readPlainFields } from './plain-fields.js';
import { askDirectly } from './root-fields.js';

export interface SchemaOptions {
  /** resolvers by their classes; made by hand, for there is no container */
  resolvers: Map<ClassType, object>;
  /** names of the input types of which exactly one field must be given */
  oneOf: string[];
  /** where the events of subscriptions come from, by the topics that the resolvers name */
  streams?: ReadonlyMap<string, EventStream>;
}

/** Opens a stream for a subscription with these arguments, for whoever asks. */
export type EventStream = (
  args: Record<string, unknown>,
  context: CallContext,
) => Promise<AsyncIterable<unknown>>;

/** What a subscription's `topicId` is: all that a stream is opened with. */
export interface StreamWanted {
  readonly args: Record<string, unknown>;
  readonly context: CallContext;
}

/**
 * The schema of the resolvers handed in: this room knows none of them.
 *
 * @throws where a query, mutation or subscription does not say which roles it is for
 */
export async function createSchema({
  resolvers,
  oneOf,
  streams = new Map(),
}: SchemaOptions): Promise<GraphQLSchema> {
  const schema = await buildSchema({
    resolvers: [...resolvers.keys()] as unknown as NonEmptyArray<ClassType>,
    container: { get: (resolver: ClassType) => resolvers.get(resolver) },
    validate: false,
    authChecker,
    pubSub: pubSubOf(streams),
  });
  requireRules(schema, new Set(resolvers.keys()));
  for (const [operation, description] of Object.entries(descriptions)) {
    const type = schema.getRootType(operation as OperationTypeNode);
    if (type) type.description = description;
  }
  readPlainFields(schema);
  askDirectly(schema, resolvers);
  for (const name of oneOf) {
    const type = schema.getType(name);
    if (!(type instanceof GraphQLInputObjectType)) throw new Error(`${name} is no input type of the schema`);
    type.isOneOf = true; // this release of type-graphql knows no @oneOf; validation, coercion and printing then honour it
  }
  return schema;
}

/** Of the types that type-graphql makes by itself. */
const descriptions: Record<OperationTypeNode, string> = {
  query: 'What is read: nothing is written by asking, and no legacy state is taken over.',
  mutation:
    'What may change states, one field after the other: a later one sees what an earlier one has done, which stays done whatever becomes of the later one.',
  subscription: 'What is told as it happens, over a WebSocket or server-sent events.',
};

/** type-graphql asks a "pubSub" for the events of a topic; ours publish nothing through it. */
function pubSubOf(streams: ReadonlyMap<string, EventStream>): PubSub {
  return {
    publish: () => undefined,
    // Its type wants the stream at once; graphql-js, which gets the answer, waits for it.
    subscribe: (topic, wanted) => {
      const { args, context } = wanted as StreamWanted;
      return streams.get(topic)!(args, context) as unknown as AsyncIterable<unknown>;
    },
  };
}
