import {
  GraphQLError,
  Kind,
  OperationTypeNode,
  type ASTVisitor,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type FragmentSpreadNode,
  type InlineFragmentNode,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql';

const conditional: readonly string[] = ['skip', 'include'];

/**
 * A validation rule: nothing at the root of a subscription depends on a condition (GraphQL, September 2025, “Single Root
 * Field”). The rule of graphql-js that counts these fields knows no variables, and throws where a condition needs one: such
 * a document is looked at no further.
 */
export function subscriptionRoots(context: ValidationContext): ASTVisitor {
  return {
    Document: (document) => {
      const found = conditionalRoots(document);
      if (found.length === 0) return undefined;
      context.reportError(
        new GraphQLError('the field of a subscription can have neither @skip nor @include', { nodes: found }),
      );
      return { ...document, definitions: [] };
    },
  };
}

function conditionalRoots(document: DocumentNode): Selection[] {
  const fragments = new Map<string, FragmentDefinitionNode>();
  const found: Selection[] = [];
  const looked = new Set<string>();
  const look = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.directives?.some(({ name }) => conditional.includes(name.value))) found.push(selection);
      if (selection.kind === Kind.INLINE_FRAGMENT) look(selection.selectionSet);
      if (selection.kind !== Kind.FRAGMENT_SPREAD || looked.has(selection.name.value)) continue;
      looked.add(selection.name.value);
      const fragment = fragments.get(selection.name.value);
      if (fragment) look(fragment.selectionSet);
    }
  };
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  for (const definition of document.definitions) {
    const isOperation = definition.kind === Kind.OPERATION_DEFINITION;
    if (isOperation && definition.operation === OperationTypeNode.SUBSCRIPTION) look(definition.selectionSet);
  }
  return found;
}

type Selection = FieldNode | FragmentSpreadNode | InlineFragmentNode;
