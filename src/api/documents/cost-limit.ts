import {
  getNamedType,
  getVariableValues,
  GraphQLError,
  isInterfaceType,
  isObjectType,
  Kind,
  type DocumentNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { fieldExtensionsEstimator, getComplexity, simpleEstimator } from 'graphql-query-complexity/cjs'; // the other one brings a graphql of its own

/** As many rows as any list of an answer may have. */
const longestList = 1_000;

/** What a statement costs beside its rows, generously. */
const statementCost = 100;

const estimators = [fieldExtensionsEstimator(), simpleEstimator({ defaultComplexity: 1 })];

/** graphql-js tells of 50; each repeats what was sent. */
export const mostCoercionErrors = 10;

export type CostLimit = (
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Record<string, unknown> | null | undefined,
) => GraphQLError | undefined;

/**
 * Refuses an operation that would cost more than the limit: page sizes, by its variables, times what is selected. A document
 * that can't, even where each of its lists is as long as any may be, is found out once, and not looked at again.
 */
export function createCostLimit(schema: GraphQLSchema, limit: number): CostLimit {
  const mostOf = new WeakMap<DocumentNode, number>();
  return (document, operation, variables) => {
    let most = mostOf.get(document);
    if (most === undefined) mostOf.set(document, (most = mostCost(schema, document)));
    if (most <= limit) return undefined;
    const { errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {}, {
      maxErrors: 1,
    });
    if (errors) return undefined; // nothing of it will be done: graphql-js says why
    const cost = costOf(schema, document, operation, variables);
    if (cost instanceof GraphQLError) return badInput(cost.message);
    if (cost <= limit) return undefined;
    return badInput(
      `cost: found ${cost}; allowed: ${limit} (SCOPESTATE_MAX_COST): ask for smaller pages, or for fewer fields of each row`,
    );
  };
}

function costOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Record<string, unknown> | null | undefined,
): number | GraphQLError {
  try {
    return getComplexity({
      schema,
      estimators,
      query: document,
      variables: variables ?? {},
      ...(operation.name && { operationName: operation.name.value }),
    });
  } catch (error) {
    if (error instanceof GraphQLError) return error; // such as null for an argument that is not nullable
    throw error;
  }
}

/** More than any operation of the document can cost, whatever its variables. */
function mostCost(schema: GraphQLSchema, document: DocumentNode): number {
  const fragments = new Map(
    document.definitions
      .filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
      .map((fragment) => [fragment.name.value, fragment]),
  );
  const known = new Map<string, number>();
  const ofFragment = (name: string): number => {
    const fragment = fragments.get(name);
    if (!fragment) return 0;
    const cost =
      known.get(name) ?? ofSelections(fragment.selectionSet, typeOf(fragment.typeCondition.name.value));
    known.set(name, cost);
    return cost;
  };
  const typeOf = (name: string) => schema.getType(name);
  const ofSelections = (
    set: SelectionSetNode | undefined,
    type: GraphQLNamedType | undefined | null,
  ): number =>
    (set?.selections ?? []).reduce((sum, selection) => {
      switch (selection.kind) {
        case Kind.FRAGMENT_SPREAD:
          return sum + ofFragment(selection.name.value);
        case Kind.INLINE_FRAGMENT: {
          const condition = selection.typeCondition?.name.value;
          return (
            sum + ofSelections(selection.selectionSet, condition === undefined ? type : typeOf(condition))
          );
        }
        case Kind.FIELD: {
          const field =
            isObjectType(type) || isInterfaceType(type) ? type.getFields()[selection.name.value] : undefined;
          const inside = ofSelections(selection.selectionSet, field && getNamedType(field.type));
          const isList = typeof field?.extensions['complexity'] === 'function';
          return sum + (isList ? statementCost + longestList * inside : 1 + inside);
        }
      }
    }, 0);
  return document.definitions.reduce((most, definition) => {
    if (definition.kind !== Kind.OPERATION_DEFINITION) return most;
    return Math.max(most, ofSelections(definition.selectionSet, schema.getRootType(definition.operation)));
  }, 0);
}

function badInput(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } } });
}
