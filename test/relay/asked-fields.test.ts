import { expect, test } from '@jest/globals';
import { Kind, parse, type FragmentDefinitionNode, type OperationDefinitionNode } from 'graphql';
import { asksForOneOf } from '../../src/relay/asked-fields.js';

const wanted = ['updatedAt', 'lastAdvancedAt'];

function isAsked(document: string): boolean {
  const { definitions } = parse(document);
  const operation = definitions.find(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  const fragments = definitions.filter(
    (definition): definition is FragmentDefinitionNode => definition.kind === Kind.FRAGMENT_DEFINITION,
  );
  return asksForOneOf(wanted, {
    operation: operation as OperationDefinitionNode,
    fragments: Object.fromEntries(fragments.map((fragment) => [fragment.name.value, fragment])),
  });
}

test.each([
  '{ scopeStates { nodes { updatedAt } } }',
  '{ scopeStates { edges { node { scopeId changed: lastAdvancedAt } } } }',
  '{ scopeStates { nodes { ... on ScopeState { updatedAt } } } }',
  '{ scopeStates { nodes { ... @include(if: false) { updatedAt } } } }',
  '{ scopeStates { ...page } } fragment page on ScopeStateConnection { nodes { ...one } } fragment one on ScopeState { updatedAt }',
])('it is asked for in %s', (document) => expect(isAsked(document)).toBe(true));

test.each([
  '{ scopeStates { nodes { scopeId } pageInfo { endCursor } } }',
  '{ scopeStates { nodes { updatedAt: scopeId } } }',
  'query updatedAt { scopeStates { nodes { scopeId } } }',
])('it is not in %s', (document) => expect(isAsked(document)).toBe(false));
