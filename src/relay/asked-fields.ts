import { visit, type GraphQLResolveInfo, type OperationDefinitionNode } from 'graphql';

/** What is asked for in a request as a whole. */
export type Asked = Pick<GraphQLResolveInfo, 'operation' | 'fragments'>;

/** Whether a request may be answered with one of these fields: whether any of that name is selected in it, wherever. */
export function asksForOneOf(names: readonly string[], { operation, fragments }: Asked): boolean {
  const known = fieldsOfOperations.get(operation) ?? fieldsOf({ operation, fragments });
  fieldsOfOperations.set(operation, known);
  return names.some((name) => known.has(name));
}

const fieldsOfOperations = new WeakMap<OperationDefinitionNode, ReadonlySet<string>>();

function fieldsOf({ operation, fragments }: Asked): ReadonlySet<string> {
  const names = new Set<string>();
  const Field = ({ name }: { name: { value: string } }) => void names.add(name.value);
  for (const node of [operation, ...Object.values(fragments)]) visit(node, { Field });
  return names;
}
