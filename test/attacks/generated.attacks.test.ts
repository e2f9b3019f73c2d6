import { readFileSync } from 'node:fs';
import { test } from '@jest/globals';
import fc from 'fast-check';
import {
  buildSchema,
  getNamedType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLInputType,
  type GraphQLNamedOutputType,
  type GraphQLObjectType,
} from 'graphql';
import { scaled } from '../support/units.js';
import { useAttackedServer } from './attacked-server.js';
import * as bad from './bad-values.js';

const attacked = useAttackedServer();
const schema = buildSchema(readFileSync('schema.graphql', 'utf8'));

const oneOf = (values: readonly bad.BadValue[]) => fc.constantFrom(...values.map(([, value]) => value));
const short = (values: bad.BadValue[]) =>
  values.filter(([, value]) => typeof value !== 'string' || value.length < 2_000);
const someId = (type: string) => fc.nat(50).map((row) => Buffer.from(`${type}:${row}`).toString('base64url'));

/** Values of each scalar: good ones, so that something is reached at all, and bad ones. */
const scalars: Record<string, fc.Arbitrary<unknown>> = {
  String: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ maxLength: 45 }),
    oneOf(bad.harmlessTexts),
    oneOf(short(bad.badTexts(40))),
  ),
  ID: fc.oneof(someId('ScopeState'), someId('ScopeStateChange'), oneOf(short(bad.badIds))),
  Int: fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer(), fc.double(), oneOf(bad.badInts)),
  Boolean: fc.oneof(fc.boolean(), oneOf(bad.badBooleans)),
  DateTime: fc.oneof(
    fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date(Date.UTC(2040)) })
      .map((date) => date.toISOString()),
    oneOf(short(bad.badTimes)),
  ),
  Duration: fc.constantFrom('PT1H', 'P1M', ''),
};

const anything = fc
  .anything({ maxDepth: 3, withNullPrototype: false })
  .filter((value) => JSON.stringify(value) !== undefined && !Object.is(value, undefined));

/** A value for an argument of the type: mostly one of its form, sometimes anything at all. */
function valueOf(type: GraphQLInputType, depth = 0): fc.Arbitrary<unknown> {
  const formed = formedValueOf(type, depth);
  return fc.oneof({ arbitrary: formed, weight: 30 }, { arbitrary: anything, weight: 1 });
}

function formedValueOf(type: GraphQLInputType, depth: number): fc.Arbitrary<unknown> {
  if (isNonNullType(type)) return valueOf(type.ofType, depth);
  if (isListType(type)) return fc.array(valueOf(type.ofType, depth + 1), { maxLength: 3 });
  if (isEnumType(type))
    return fc.oneof(fc.constantFrom(...type.getValues().map(({ name }) => name)), oneOf(bad.badEnums));
  if (!isInputObjectType(type)) return scalars[type.name]!;
  const fields = Object.values(type.getFields());
  if (type.isOneOf)
    return fc
      .constantFrom(...fields)
      .chain((field) => valueOf(field.type, depth + 1).map((value) => ({ [field.name]: value })));
  const required = fields.filter((field) => isNonNullType(field.type)).map(({ name }) => name);
  return fc.record(Object.fromEntries(fields.map((field) => [field.name, valueOf(field.type, depth + 1)])), {
    requiredKeys: required,
  });
}

/** A selection of the type, at most so deep. */
function selectionOf(type: GraphQLNamedOutputType, depth: number): fc.Arbitrary<string> {
  if (!isCompositeType(type)) return fc.constant('');
  if (!isObjectType(type) && !isInterfaceType(type)) return fc.constant('{ __typename }');
  const fields = Object.values(type.getFields()).filter(
    (field) => depth > 0 || !isCompositeType(getNamedType(field.type)),
  );
  if (fields.length === 0) return fc.constant('{ __typename }');
  return fc
    .subarray(fields, { minLength: 1, maxLength: Math.min(5, fields.length) })
    .chain((chosen) =>
      fc.tuple(
        ...chosen.map((field) =>
          selectionOf(getNamedType(field.type), depth - 1).map((inner) => `${field.name} ${inner}`),
        ),
      ),
    )
    .map((parts) => `{ ${parts.join(' ')} }`);
}

/** A request for one root field, with a variable for each of its arguments. */
function requestOf(
  root: GraphQLObjectType,
  operation: string,
): fc.Arbitrary<{ query: string; variables: unknown }> {
  return fc.constantFrom(...Object.values(root.getFields())).chain((field) => {
    const args = field.args.map(({ name, type }) => ({ name, type: String(type), value: valueOf(type) }));
    const required = field.args.filter(({ type }) => isNonNullType(type)).map(({ name }) => name);
    const declared = args.map(({ name, type }) => `$${name}: ${type}`).join(', ');
    const given = args.map(({ name }) => `${name}: $${name}`).join(', ');
    const variables = fc.record(Object.fromEntries(args.map(({ name, value }) => [name, value])), {
      requiredKeys: required,
    });
    return fc.record({
      query: selectionOf(getNamedType(field.type), 3).map(
        (selection) => `${operation} (${declared}) { ${field.name}(${given}) ${selection} }`,
      ),
      variables,
    });
  });
}

const atOnce = 10;
const requests = fc.oneof(
  requestOf(schema.getQueryType()!, 'query'),
  requestOf(schema.getMutationType()!, 'mutation'),
);

test('whatever the schema’s types make of nonsense, every answer is clean, and nothing breaks inside', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(requests, { minLength: atOnce, maxLength: atOnce }), async (batch) => {
      await Promise.all(batch.map(({ query, variables }) => attacked.strike(query, variables)));
    }),
    { numRuns: scaled(10_000 / atOnce), endOnFailure: true },
  );
}, 300_000);
