import { describe, expect, test } from '@jest/globals';
import { buildSchema, execute, parse, type ExecutionResult, type OperationDefinitionNode } from 'graphql';
import { AnsweredSchemas, CompiledDocument } from '../../src/api/compiled-document.js';
import type { CallContext } from '../../src/caller/caller.js';
import { createSchema } from '../../src/api/schema.js';
import { unconnectedResolvers } from '../../src/resolvers.js';
import { ScopeStateResolver } from '../../src/scope-state/scope-state.resolver.js';
import { selectorName } from '../../src/scope-state/selector.graphql.js';
import { operations } from '../support/state-api.js';

const context = { role: 'admin' } as CallContext;
const unit = { scopeId: 's', scopeKey: 'k', collector: 'c', fetcher: 'f' };

function schemaWith(answer: object) {
  const resolvers = new Map(unconnectedResolvers.map((resolver) => [resolver, {}]));
  resolvers.set(ScopeStateResolver, answer);
  return createSchema({ resolvers, oneOf: [selectorName] });
}

async function compile(text: string, answer: object = {}): Promise<CompiledDocument | undefined> {
  const document = parse(text);
  const [operation] = document.definitions as OperationDefinitionNode[];
  return CompiledDocument.of(new AnsweredSchemas(await schemaWith(answer)), {
    document,
    operation: operation!,
  });
}

const find = `query ($unit: CollectionUnitInput!) { scopeState(unit: $unit) { scopeId version } }`;

describe('compiled is what only reads its answer:', () => {
  const { find: state, check, checkAll, advance, advanceAll, create, rekey, node } = operations;
  test.each(Object.entries({ state, check, checkAll, advance, advanceAll, create, rekey, node }))(
    '%s',
    async (_, text) => expect(await compile(text)).toBeDefined(),
  );

  test.each([
    [
      'two mutations, of which the second waits for the first',
      `mutation ($i: CheckScopeStateInput!) {
      a: checkScopeState(input: $i) { outcome } b: checkScopeState(input: $i) { outcome } }`,
    ],
    ['the schema', '{ __schema { queryType { name } } }'],
    ['a count, which is a statement', '{ scopeStates { totalCount } }'],
    ['changes of each state', `{ scopeStates { nodes { changes { nodes { kind } } } } }`],
    ['a root field in a fragment', `{ ... on Query { scopeState(unit: null) { id } } }`],
    ['a page', operations.page],
  ])('not %s', async (_, text) => expect(await compile(text)).toBeUndefined());
});

describe('what is at fault, graphql-js says:', () => {
  const told = async (answer: object, text = find): Promise<ExecutionResult> =>
    (await compile(text, answer))!.execute(context, { unit });

  test('a resolver that fails, which is asked once', async () => {
    let times = 0;
    const scopeState = () => Promise.reject(new Error(`failed ${++times}`));
    const { data, errors } = await told({ scopeState });
    expect({ ...data }).toEqual({ scopeState: null });
    expect(errors).toHaveLength(1);
    expect(errors![0]).toMatchObject({ message: 'failed 1', path: ['scopeState'] });
    expect(errors![0]!.locations).toEqual([{ line: 1, column: 39 }]);
    expect(times).toBe(1);
  });

  test('a getter that fails, of an answer that is asked for once', async () => {
    let times = 0;
    const state = {
      scopeId: 's',
      get version() {
        throw new Error('no version');
      },
    };
    const { data, errors } = await told({ scopeState: () => (times++, Promise.resolve(state)) });
    expect({ ...data }).toEqual({ scopeState: null });
    expect(errors![0]).toMatchObject({ message: 'no version', path: ['scopeState', 'version'] });
    expect(times).toBe(1);
  });

  test('what is null and may not be', async () => {
    const { data, errors } = await told({ scopeState: () => ({ scopeId: 's', version: null }) });
    expect({ ...data }).toEqual({ scopeState: null });
    expect(errors![0]!.message).toBe('Cannot return null for non-nullable field ScopeState.version.');
  });

  test('variables, before anything is asked', async () => {
    let times = 0;
    const compiled = await compile(find, { scopeState: () => times++ });
    const { data, errors } = await compiled!.execute(context, { unit: { ...unit, scopeId: 1 } });
    expect(data).toBeUndefined();
    expect(errors![0]!.message).toContain('got invalid value 1 at "unit.scopeId"');
    expect(times).toBe(0);
  });

  test('and what is not at fault is read without it', async () => {
    const result = await told({ scopeState: () => ({ scopeId: 's', version: 1, id: 'x' }) });
    expect(result).toEqual({ data: { scopeState: { scopeId: 's', version: 1 } } });
    expect(Object.getPrototypeOf(result.data)).toBe(Object.prototype); // graphql-js makes objects without one
  });
});

describe('arguments are what graphql-js makes of them:', () => {
  const page = `query ($filter: ScopeStateFilter, $order: ScopeStateOrder, $first: Int = 7, $after: String, $last: Int,
    $toString: String) { scopeStates(filter: $filter, orderBy: $order, first: $first, after: $after, last: $last,
    before: $toString) { nodes { id } } }`;
  const all = { filter: {}, order: {}, first: 1, after: 'a', last: 2, toString: 'b' };
  const none = Object.fromEntries(Object.keys(all).map((name) => [name, null]));

  test.each([
    ['all are there', page, all],
    ['all are null', page, none],
    ['one is null', page, { ...all, after: null }],
    ['none is there', page, {}],
    ['one is not there, whose name every object has', page, { ...all, toString: undefined }],
    ['not all are asked for', 'query ($n: Int) { scopeStates(first: $n) { nodes { id } } }', { n: 5 }],
    [
      'one is no variable',
      page.replace('last: $last', 'last: 5').replace(' $last: Int,', ''),
      { ...all, last: undefined },
    ],
  ])('%s', async (_, text, variables) => {
    const asked: unknown[] = [];
    const answer = { scopeStates: (args: unknown) => (asked.push({ ...(args as object) }), { nodes: [] }) };
    const given = JSON.parse(JSON.stringify(variables)) as Record<string, unknown>;
    await (await compile(text, answer))!.execute(context, given);
    const schema = await schemaWith(answer);
    await execute({ schema, document: parse(text), variableValues: given, contextValue: context });
    expect(asked).toHaveLength(2);
    expect(asked[0]).toStrictEqual(asked[1]);
  });
});

test('an argument that is left out, or null, is what its type says', async () => {
  const schema = buildSchema('type Query { told(one: Int = 5, other: Int!): String }');
  schema.getQueryType()!.getFields()['told']!.resolve = (_, args) => JSON.stringify(args);
  const told = async (text: string, variables: Record<string, unknown>) => {
    const document = parse(text);
    const [operation] = document.definitions as OperationDefinitionNode[];
    const compiled = CompiledDocument.of(new AnsweredSchemas(schema), { document, operation: operation! })!;
    const { data, errors } = await compiled.execute(context, variables);
    return { told: data?.['told'], errors: errors?.map(({ message }) => message) };
  };
  const some = 'query ($other: Int!) { told(other: $other) }';
  expect(await told(some, { other: 1 })).toEqual({ told: '{"one":5,"other":1}' });
  const all = 'query ($one: Int, $other: Int = 2) { told(one: $one, other: $other) }';
  expect(await told(all, { one: 1 })).toEqual({ told: '{"one":1,"other":2}' });
  expect(await told(all, {})).toEqual({ told: '{"one":5,"other":2}' });
  expect(await told(all, { one: 1, other: null })).toEqual({
    told: null,
    errors: ['Argument "other" of non-null type "Int!" must not be null.'],
  });
});
