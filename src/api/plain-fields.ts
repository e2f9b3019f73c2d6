import { isObjectType, type GraphQLSchema } from 'graphql';
import { getMetadataStorage } from 'type-graphql';

/**
 * type-graphql puts a resolver of its own before each field. A property or a getter is read without one as well, at less
 * cost; what a method or a rule answers keeps it.
 */
export function readPlainFields(schema: GraphQLSchema): void {
  const { objectTypes, fieldResolvers } = getMetadataStorage();
  for (const { name, target, fields } of objectTypes) {
    const type = schema.getType(name);
    if (!isObjectType(type)) continue;
    const resolved = fieldResolvers
      .filter(({ getObjectType }) => getObjectType?.() === target)
      .filter(({ kind, methodName }) => kind === 'external' || !isGetter(target, methodName))
      .map(({ methodName }) => methodName);
    for (const field of fields ?? []) {
      const isRuled = field.roles !== undefined || (field.middlewares?.length ?? 0) > 0;
      const isRead = field.name === field.schemaName && !resolved.includes(field.name);
      if (isRead && !isRuled) delete type.getFields()[field.schemaName]?.resolve;
    }
  }
}

function isGetter(target: { prototype: unknown }, name: string): boolean {
  return Object.getOwnPropertyDescriptor(target.prototype, name)?.get !== undefined;
}
