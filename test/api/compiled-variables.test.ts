import { beforeAll, expect, test } from '@jest/globals';
import { getVariableValues, parse, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';
import { CompiledVariables } from '../../src/api/compiled-variables.js';
import { mostCoercionErrors } from '../../src/api/documents/cost-limit.js';
import { createSchema } from '../../src/api/schema.js';
import { unconnectedResolvers } from '../../src/resolvers.js';
import { selectorName } from '../../src/scope-state/selector.graphql.js';

type Values = Record<string, unknown>;

const unit = { scopeId: 's', scopeKey: 'k', collector: 'c', fetcher: 'f' };
const at = '2026-01-31T10:00:00+01:00';
const cases: [declared: string, given: Values][] = [
  ['$unit: CollectionUnitInput!', { unit }],
  ['$unit: CollectionUnitInput', { unit }],
  ['$input: AdvanceScopeStateInput!', { input: { unit, lastProcessedTimestamp: at, expected: null } }],
  [
    '$input: AdvanceScopeStatesInput!',
    { input: { advances: [{ unit, lastProcessedTimestamp: at, expected: at }] } },
  ],
  [
    '$filter: ScopeStateFilter, $order: ScopeStateOrder = {direction: DESC}, $first: Int = 7, $after: String',
    { filter: { scopeIds: ['a', 'b'], active: true, processedBefore: at }, order: {}, first: 5, after: 'x' },
  ],
  ['$selector: ScopeStateSelector!', { selector: { filter: { collectors: ['c'] } } }],
  [
    '$id: ID!, $toString: String, $constructor: ID, $__proto__: ScopeStateFilter, $ids: [ID!] = null',
    { id: 'x', more: 1, ids: ['x', 'y'] },
  ],
];
const strange = [
  null,
  0,
  -0,
  1.5,
  2 ** 40,
  '',
  'x',
  'DESC',
  at,
  '2026-02-30T00:00:00Z',
  true,
  [],
  [null],
  {},
  { x: 1 },
];

/** The value with each of its parts, and itself, replaced by each strange one. */
function* variants(value: unknown): Generator<unknown> {
  yield* strange;
  if (Array.isArray(value)) {
    for (const one of value) {
      yield one; // a list of one may be given as that one
      for (const other of variants(one)) yield [one, other];
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, part] of Object.entries(value)) {
      for (const other of variants(part)) yield { ...value, [key]: other };
    }
    yield { ...value, extra: 1 };
  }
}

let schema: GraphQLSchema;
beforeAll(async () => {
  const resolvers = new Map(unconnectedResolvers.map((resolver) => [resolver, {}]));
  schema = await createSchema({ resolvers, oneOf: [selectorName] });
});

test.each(cases)(
  'variables of (%s) are coerced as graphql-js coerces them, right and wrong',
  (declared, given) => {
    const { definitions } = parse(`query (${declared}) { __typename }`);
    const declarations = (definitions[0] as OperationDefinitionNode).variableDefinitions!;
    const compiled = new CompiledVariables(schema, declarations);
    const tried = [...variants(given)].filter((one) => typeof one === 'object' && one !== null) as Values[];
    const outcomes = new Set<boolean>();
    for (const values of [given, ...tried]) {
      if (Array.isArray(values)) continue;
      const wanted = getVariableValues(schema, declarations, values, { maxErrors: mostCoercionErrors });
      const found = compiled.coerce(values);
      outcomes.add(found.errors === undefined);
      expect(found.errors?.map((error) => error.toJSON())).toEqual(
        wanted.errors?.map((error) => error.toJSON()),
      );
      expect(found.coerced).toEqual(wanted.coerced);
      expect(Object.keys(found.coerced ?? {})).toEqual(Object.keys(wanted.coerced ?? {}));
    }
    expect(outcomes.size).toBe(2);
  },
);
