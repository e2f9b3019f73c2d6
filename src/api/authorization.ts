import type { GraphQLField, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema } from 'graphql';
import { getMetadataStorage, type AuthCheckerFn, type ClassType } from 'type-graphql';
import type { CallContext } from '../caller/caller.js';
import { roles, type Role } from '../caller/role.rules.js';
import { Forbidden, Unauthenticated } from '../fault.js';

/** Asked by type-graphql where it asks a resolver that has a rule, and before a subscription opens its stream. */
export const authChecker: AuthCheckerFn<Partial<CallContext>, Role> = ({ context, info }, allowed) => {
  requireRole(context, info, allowed);
  return true;
};

/** @throws Unauthenticated | Forbidden whoever has none of the roles that a field is for */
export function requireRole(
  { role }: Partial<CallContext>,
  { fieldName }: Pick<GraphQLResolveInfo, 'fieldName'>,
  allowed: readonly Role[],
): void {
  if (role === undefined) throw new Unauthenticated('this needs a caller');
  if (allowed.includes(role)) return;
  throw new Forbidden(`${fieldName}: found the role ${role}; allowed: ${allowed.join(' and ')}`);
}

interface Rule {
  schemaName: string;
  target: unknown;
  roles?: unknown[];
}

/**
 * Nothing is open because somebody forgot to say who may: `@Authorized` is opt-in, so this looks for it. Each root field
 * carries its roles from here on, for whoever wants to list them.
 *
 * @throws where a query, mutation or subscription does not say which roles it is for
 */
export function requireRules(schema: GraphQLSchema, resolvers: ReadonlySet<ClassType>): void {
  const { queries, mutations, subscriptions } = getMetadataStorage();
  const open = [
    ...withoutRule(schema.getQueryType(), queries, resolvers),
    ...withoutRule(schema.getMutationType(), mutations, resolvers),
    ...withoutRule(schema.getSubscriptionType(), subscriptions, resolvers),
  ];
  if (open.length === 0) return;
  throw new Error(`no rule says who may use ${open.join(', ')}: each needs @Authorized and roles`);
}

/** Which roles may use a field of Query, Mutation or Subscription. */
export function rolesOf(field: GraphQLField<unknown, unknown>): readonly Role[] {
  return field.extensions['roles'] as readonly Role[];
}

function withoutRule(
  type: GraphQLObjectType | null | undefined,
  rules: Rule[],
  resolvers: ReadonlySet<unknown>,
): string[] {
  return Object.values(type?.getFields() ?? {}).flatMap((field) => {
    const given = rules
      .filter(({ schemaName, target }) => schemaName === field.name && resolvers.has(target))
      .map((rule) => rule.roles ?? []);
    const isRuled = given.length === 1 && given[0]!.length > 0 && given[0]!.every(isRole);
    if (!isRuled) return [`${type!.name}.${field.name}`];
    field.extensions = { ...field.extensions, roles: given[0] };
    return [];
  });
}

function isRole(given: unknown): boolean {
  return roles.some((role) => role === given);
}
