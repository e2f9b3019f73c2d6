import {
  GraphQLError,
  Kind,
  visit,
  type ASTVisitor,
  type DocumentNode,
  type SelectionSetNode,
  type ValidationContext,
} from 'graphql';
import type { Limits } from '../../config.js';

/** How large a selection is once its fragments are put in place. */
interface Size {
  readonly depth: number;
  readonly selections: number;
}

const nothing: Size = { depth: 0, selections: 0 };

/**
 * A validation rule that refuses documents which are cheap to send and costly to answer. Each fragment is measured once,
 * so that it takes no longer than the document is long, however its fragments multiply.
 */
export function documentLimits(limits: Limits): (context: ValidationContext) => ASTVisitor {
  return (context) => ({
    Document: (document) => {
      for (const [what, found, allowed, setting] of measure(document, limits)) {
        if (found <= allowed) continue;
        const told = Number.isSafeInteger(found) ? found : 'more than can be counted';
        context.reportError(new GraphQLError(`${what}: found ${told}; allowed: ${allowed} (${setting})`));
      }
    },
  });
}

function measure(document: DocumentNode, limits: Limits): [string, number, number, string][] {
  const { aliases, directives } = count(document);
  const sizeOf = measurer(document);
  const operations = document.definitions.filter(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION,
  );
  const sizes = document.definitions.map((definition) =>
    'selectionSet' in definition ? sizeOf(definition.selectionSet) : nothing,
  );
  const largest = (numbers: number[]) => numbers.reduce((most, number) => Math.max(most, number), 0);
  const atRoot = largest(operations.map(({ selectionSet }) => selectionSet.selections.length));
  return [
    ['depth', largest(sizes.map(({ depth }) => depth)), limits.depth, 'SCOPESTATE_MAX_DEPTH'],
    ['fields', largest(sizes.map(({ selections }) => selections)), limits.fields, 'SCOPESTATE_MAX_FIELDS'],
    ['aliases', aliases, limits.aliases, 'SCOPESTATE_MAX_ALIASES'],
    ['fields at the root of an operation', atRoot, limits.aliases, 'SCOPESTATE_MAX_ALIASES'],
    ['directives', directives, limits.directives, 'SCOPESTATE_MAX_DIRECTIVES'],
  ];
}

function count(document: DocumentNode): { aliases: number; directives: number } {
  const found = { aliases: 0, directives: 0 };
  visit(document, {
    Field: ({ alias }) => {
      if (alias) found.aliases++;
    },
    Directive: () => {
      found.directives++;
    },
  });
  return found;
}

function measurer(document: DocumentNode): (selectionSet: SelectionSetNode) => Size {
  const fragments = new Map(
    document.definitions
      .filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
      .map(({ name, selectionSet }) => [name.value, selectionSet]),
  );
  const known = new Map<string, Size>();
  const ofFragment = (name: string): Size => {
    const size = known.get(name);
    if (size) return size;
    known.set(name, nothing); // a fragment within itself is refused by another rule
    const fragment = fragments.get(name);
    const found = fragment ? sizeOf(fragment) : nothing;
    known.set(name, found);
    return found;
  };
  const sizeOf = ({ selections }: SelectionSetNode): Size => {
    let depth = 0;
    let all = selections.length;
    for (const selection of selections) {
      const isField = selection.kind === Kind.FIELD;
      const inside =
        selection.kind === Kind.FRAGMENT_SPREAD
          ? ofFragment(selection.name.value)
          : selection.selectionSet
            ? sizeOf(selection.selectionSet)
            : nothing;
      depth = Math.max(depth, inside.depth + (isField ? 1 : 0));
      all += inside.selections;
    }
    return { depth, selections: all };
  };
  return sizeOf;
}
