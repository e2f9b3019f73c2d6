import { describe, expect, test } from '@jest/globals';
import {
  buildSchema,
  graphql,
  GraphQLError,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
  parseValue as parseLiteralText,
  printSchema,
} from 'graphql';
import { DateTime } from '../../src/time/date-time.scalar.js';
import { Duration } from '../../src/time/duration.scalar.js';

const scalars = { DateTime, Duration };
const taken = { DateTime: '2026-01-31T09:00:00.000001Z', Duration: 'P2DT3H0.000001S' };

/** A schema with one field that answers its argument. */
function echo(scalar: GraphQLScalarType<unknown, string>): GraphQLSchema {
  return new GraphQLSchema({
    query: new GraphQLObjectType({
      name: 'Query',
      fields: {
        echo: {
          type: scalar,
          args: { value: { type: new GraphQLNonNull(scalar) } },
          resolve: (_source, { value }: { value: unknown }) => value,
        },
        wrong: { type: scalar, resolve: () => 'text' },
        unused: { type: GraphQLString },
      },
    }),
  });
}

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof GraphQLError) return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe.each(['DateTime', 'Duration'] as const)('%s', (name) => {
  const scalar = scalars[name] as GraphQLScalarType<unknown, string>;
  const schema = echo(scalar);

  test('has its name, a description with an example, and the page of its standard', () => {
    expect(scalar.name).toBe(name);
    expect(scalar.description).toMatch(/Examples: `"/);
    expect(scalar.specifiedByURL).toMatch(/^https:\/\/www\.(rfc-editor|iso)\.org\//);
    expect(() => buildSchema(printSchema(schema))).not.toThrow();
  });

  test('goes through a literal and a variable exactly', async () => {
    const text = taken[name];
    const literal = await graphql({ schema, source: `{ echo(value: "${text}") }` });
    expect(literal).toEqual({ data: { echo: text } });
    const source = `query ($value: ${name}!) { echo(value: $value) }`;
    expect(await graphql({ schema, source, variableValues: { value: text } })).toEqual({
      data: { echo: text },
    });
  });

  test.each([
    ['a text that is refused', 'now', '"now"', 'found "now"; allowed: an '],
    ['an empty text', '', '""', 'found ""; allowed: an '],
    ['a whole number', 1769850000, '1769850000', 'found the number 1769850000; allowed: a string with an '],
    ['a fraction', 1.5, '1.50', 'found the number 1.5; allowed: a string with an '],
    ['a boolean', true, 'true', 'found the boolean true; allowed: a string with an '],
    ['null', null, 'null', 'found null; allowed: a string with an '],
    ['a list', ['now'], '["now"]', 'found a list; allowed: a string with an '],
    ['an object', { a: 1 }, '{ a: 1 }', 'found an object; allowed: a string with an '],
  ])('refuses %s with one text, as a variable and as a literal', (_what, value, literal, text) => {
    const fromVariable = messageOf(() => scalar.parseValue(value));
    const fromLiteral = messageOf(() => scalar.parseLiteral(parseLiteralText(literal)));
    expect(fromLiteral).toBe(fromVariable);
    expect(fromVariable).toMatch(new RegExp(`^${name}: ${text}`));
  });

  test('refuses a word without quotes', () => {
    expect(messageOf(() => scalar.parseLiteral(parseLiteralText('now')))).toMatch(
      new RegExp(`^${name}: found now without quotes; allowed: a string with an `),
    );
  });

  test('tells a caller the place of a bad literal, and the same text in both ways', async () => {
    const text = messageOf(() => scalar.parseValue('infinity'));
    const literal = await graphql({ schema, source: '{ echo(value: "infinity") }' });
    expect(literal.errors?.map((e) => [e.message, e.locations])).toEqual([[text, [{ line: 1, column: 15 }]]]);
    const source = `query ($value: ${name}!) { echo(value: $value) }`;
    const variable = await graphql({ schema, source, variableValues: { value: 'infinity' } });
    expect(variable.errors?.[0]?.message).toBe(`Variable "$value" got invalid value "infinity"; ${text}`);
  });

  test('answers nothing but its own kind', async () => {
    const answer = await graphql({ schema, source: '{ wrong }' });
    expect(answer.errors?.[0]?.message).toBe(`${name}: a resolver answered something else`);
  });
});
