import 'reflect-metadata';
import { GraphQLInputObjectType, type GraphQLSchema } from 'graphql';
import { buildSchema, type ClassType, type NonEmptyArray } from 'type-graphql';

export interface SchemaOptions {
  /** resolvers by their classes; made by hand, for there is no container */
  resolvers: Map<ClassType, object>;
  /** names of the input types of which exactly one field must be given */
  oneOf: string[];
}

/** The schema of the resolvers handed in: this room knows none of them. */
export async function createSchema({ resolvers, oneOf }: SchemaOptions): Promise<GraphQLSchema> {
  const schema = await buildSchema({
    resolvers: [...resolvers.keys()] as unknown as NonEmptyArray<ClassType>,
    container: { get: (resolver: ClassType) => resolvers.get(resolver) },
    validate: false,
  });
  for (const name of oneOf) {
    const type = schema.getType(name);
    if (!(type instanceof GraphQLInputObjectType)) throw new Error(`${name} is no input type of the schema`);
    type.isOneOf = true; // this release of type-graphql knows no @oneOf; validation, coercion and printing then honour it
  }
  return schema;
}
