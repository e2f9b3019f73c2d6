import type { GraphQLFieldResolver, GraphQLResolveInfo, GraphQLSchema } from 'graphql';
import { getMetadataStorage, type ClassType } from 'type-graphql';
import type { CallContext } from '../caller/caller.js';
import { requireRole, rolesOf } from './authorization.js';

type Handlers = ReturnType<typeof getMetadataStorage>['queries'];
type Param = NonNullable<Handlers[number]['params']>[number];

/**
 * type-graphql makes instances of all input classes for each request, and waits for each step. Ours have fields only, and there is
 * no middleware for all: queries and mutations are asked with the plain data that was coerced, by whoever has one of their roles.
 */
export function askDirectly(schema: GraphQLSchema, resolvers: ReadonlyMap<ClassType, object>): void {
  const { queries, mutations } = getMetadataStorage();
  const roots = [
    [schema.getQueryType(), queries],
    [schema.getMutationType(), mutations],
  ] as const;
  for (const [type, handlers] of roots) {
    for (const handler of handlers) {
      const field = type?.getFields()[handler.schemaName];
      const resolver = resolvers.get(handler.target as ClassType);
      const resolve =
        field &&
        resolver &&
        direct(handler, resolver, { roles: rolesOf(field), isMutation: handlers === mutations });
      if (resolve) field.resolve = resolve;
    }
  }
}

interface Asked {
  readonly args: Record<string, unknown>;
  readonly context: CallContext;
  readonly info: GraphQLResolveInfo;
}

type Resolve = GraphQLFieldResolver<unknown, CallContext, Record<string, unknown>>;

/** undefined: it is for type-graphql to ask it */
function direct(
  { methodName, params = [], middlewares = [] }: Handlers[number],
  resolver: object,
  { roles, isMutation }: { roles: ReturnType<typeof rolesOf>; isMutation: boolean },
): Resolve | undefined {
  const readers = params.toSorted((one, other) => one.index - other.index).map(readerOf);
  if (middlewares.length > 0 || !readers.every((read) => read !== undefined)) return undefined;
  const method = (resolver as Record<string, (...given: unknown[]) => unknown>)[methodName]!;
  return (_, args, context, info) => {
    requireRole(context, info, roles);
    const asked = { args, context, info };
    const ask = () =>
      method.apply(
        resolver,
        readers.map((read) => read(asked)),
      );
    // Mutations wait for those before them, and meanwhile much can happen.
    const confirmed = isMutation ? context.mayGoOn?.() : undefined;
    return confirmed ? confirmed.then(ask) : ask();
  };
}

function readerOf(param: Param): ((asked: Asked) => unknown) | undefined {
  if ((param.kind === 'arg' || param.kind === 'args') && (param.validateFn ?? param.validateSettings))
    return undefined;
  if (param.kind === 'arg') return ({ args }) => args[param.name];
  if (param.kind === 'args') return ({ args }) => args;
  if (param.kind === 'context' && param.propertyName === undefined) return ({ context }) => context;
  if (param.kind === 'info') return ({ info }) => info;
  return undefined;
}
