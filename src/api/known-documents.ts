import { Kind, visit, BREAK, type DocumentNode, type OperationDefinitionNode } from 'graphql';
import { LRUCache } from 'lru-cache';

/** Far more than the programs of an installation have between them. */
const mostDocuments = 1_000;

/** Of all their texts; what is parsed takes up to 50 bytes of memory for each. */
const mostCharacters = 1_000_000;

/** One that is longer is not remembered: it would push out too many others. */
const longest = 50_000;

export interface KnownDocument {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
}

/** Documents that have been parsed, validated and let through once, by their texts: those that programs send again and again. */
export class KnownDocuments {
  private readonly byText = latest<KnownDocument>((_, text) => text.length);

  find(text: string): KnownDocument | undefined {
    return this.byText.get(text);
  }

  /** Of several operations one would have to be chosen, and directives change what is executed: such documents stay unknown. */
  remember(text: string, document: DocumentNode): void {
    if (this.byText.has(text)) return;
    const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    if (operations.length !== 1 || hasDirectives(document)) return;
    this.byText.set(text, { document, operation: operations[0] as OperationDefinitionNode });
  }
}

/** What Apollo has validated, by its hash. Its own store weighs documents by their JSON, which has nothing of what weighs. */
export class ValidatedDocuments {
  private readonly byHash = latest<DocumentNode>(({ loc }) => loc!.source.body.length);

  get(hash: string): Promise<DocumentNode | undefined> {
    return Promise.resolve(this.byHash.get(hash));
  }

  set(hash: string, document: DocumentNode): Promise<void> {
    this.byHash.set(hash, document);
    return Promise.resolve();
  }

  delete(hash: string): Promise<boolean> {
    return Promise.resolve(this.byHash.delete(hash));
  }
}

/** Those that were asked for last. */
function latest<Value extends object>(lengthOf: (value: Value, key: string) => number) {
  return new LRUCache<string, Value>({
    max: mostDocuments,
    maxSize: mostCharacters,
    maxEntrySize: longest,
    sizeCalculation: (value, key) => Math.max(lengthOf(value, key), 1),
  });
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
