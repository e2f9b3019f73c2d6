import { Kind, visit, BREAK, type DocumentNode, type OperationDefinitionNode } from 'graphql';

/** Far more than the programs of an installation have between them. */
const mostDocuments = 1_000;

export interface KnownDocument {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
}

/** Documents that have been parsed, validated and let through once, by their texts: those that programs send again and again. */
export class KnownDocuments {
  private readonly byText = new Map<string, KnownDocument>();

  find(text: string): KnownDocument | undefined {
    return this.byText.get(text);
  }

  /** Of several operations one would have to be chosen, and directives change what is executed: such documents stay unknown. */
  remember(text: string, document: DocumentNode): void {
    if (this.byText.has(text)) return;
    const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    if (operations.length !== 1 || hasDirectives(document)) return;
    this.byText.set(text, { document, operation: operations[0] as OperationDefinitionNode });
    if (this.byText.size > mostDocuments) this.byText.delete(this.byText.keys().next().value!);
  }
}

function hasDirectives(document: DocumentNode): boolean {
  let found = false;
  visit(document, {
    Directive: () => {
      found = true;
      return BREAK;
    },
  });
  return found;
}
