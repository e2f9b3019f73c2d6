import { getOperationAST, Kind, visit, type DocumentNode, type SelectionNode } from 'graphql';

/**
 * What is executed for each event of a subscription: without the arguments of its field, which have chosen the events, and
 * without the variables that only they use. To read them for each event anew would take a tenth of what it costs.
 */
export function documentOfEvents(
  document: DocumentNode,
  operationName: string | null | undefined,
): DocumentNode {
  const operation = getOperationAST(document, operationName)!;
  const selections = operation.selectionSet.selections.map(withoutArguments);
  const bare = {
    ...operation,
    variableDefinitions: [],
    selectionSet: { ...operation.selectionSet, selections },
  };
  const others = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
  const used = new Set<string>();
  visit(
    { ...document, definitions: [bare, ...others] },
    { Variable: ({ name }) => void used.add(name.value) },
  );
  const variableDefinitions = operation.variableDefinitions?.filter(({ variable }) =>
    used.has(variable.name.value),
  );
  return {
    ...document,
    definitions: [{ ...bare, variableDefinitions: variableDefinitions ?? [] }, ...others],
  };
}

function withoutArguments(selection: SelectionNode): SelectionNode {
  return selection.kind === Kind.FIELD ? { ...selection, arguments: [] } : selection;
}
