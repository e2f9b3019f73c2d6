import { GraphQLError, GraphQLScalarType, Kind, print, type ValueNode } from 'graphql';

export interface TextScalar<T> {
  name: string;
  description: string;
  specifiedByURL: string;
  /** What is allowed, for the message to a caller who sent no string. */
  rule: string;
  /** Throws a `RangeError` whose message says what was found and what is allowed. */
  parse: (text: string) => T;
  /** Throws a `RangeError` for what can't be written. */
  format: (value: T) => string;
  is: (value: unknown) => value is T;
}

/** A scalar that is a string on the wire. A variable and a literal are refused with the same text. */
export function createTextScalar<T>(scalar: TextScalar<T>): GraphQLScalarType<T, string> {
  const { name, description, specifiedByURL, rule, parse, format, is } = scalar;

  function read(text: string, node?: ValueNode): T {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new GraphQLError(`${name}: ${error.message}`, { nodes: node ?? null });
    }
  }

  function refusal(found: string, node?: ValueNode): GraphQLError {
    return new GraphQLError(`${name}: found ${found}; allowed: a string with ${rule}`, {
      nodes: node ?? null,
    });
  }

  return new GraphQLScalarType<T, string>({
    name,
    description,
    specifiedByURL,
    serialize(value) {
      if (is(value)) return format(value);
      throw new GraphQLError(`${name}: a resolver answered something else`);
    },
    parseValue(value) {
      if (typeof value === 'string') return read(value);
      throw refusal(describeValue(value));
    },
    parseLiteral(node) {
      if (node.kind === Kind.STRING) return read(node.value, node);
      throw refusal(describeLiteral(node), node);
    },
  });
}

function describeValue(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return `the number ${value}`;
  if (typeof value === 'boolean') return `the boolean ${value}`;
  if (value === null || value === undefined) return 'null';
  return Array.isArray(value) ? 'a list' : 'an object';
}

function describeLiteral(node: ValueNode): string {
  switch (node.kind) {
    case Kind.INT:
    case Kind.FLOAT:
      return describeValue(Number(node.value));
    case Kind.BOOLEAN:
      return describeValue(node.value);
    case Kind.NULL:
      return describeValue(null);
    case Kind.LIST:
      return describeValue([]);
    case Kind.OBJECT:
      return describeValue({});
    case Kind.ENUM:
    case Kind.STRING:
    case Kind.VARIABLE:
      return `${print(node)} without quotes`;
  }
}
