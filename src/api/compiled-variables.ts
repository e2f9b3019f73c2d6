import {
  getVariableValues,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  typeFromAST,
  valueFromAST,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLNonNull,
  type GraphQLSchema,
  type VariableDefinitionNode,
} from 'graphql';
import { mostCoercionErrors } from './documents/cost-limit.js';

type Values = Record<string, unknown>;

/** Makes of a value what a resolver is given. @throws whatever is not plainly right */
type Coerce = (value: unknown) => unknown;

/** A variable, or a field of an input. */
interface Slot {
  readonly name: string;
  readonly coerce: Coerce;
  readonly isRequired: boolean;
  /** undefined: it is left out */
  readonly byDefault: unknown;
}

/**
 * The variables of a document, coerced by functions that were made for their types, once. They do what is plainly right; whatever
 * is not, graphql-js looks at from the start: it coerces the rest (one for a list of one, say), and it alone refuses.
 */
export class CompiledVariables {
  private readonly schema: GraphQLSchema;
  private readonly definitions: readonly VariableDefinitionNode[];
  private readonly slots: readonly Slot[];

  constructor(schema: GraphQLSchema, definitions: readonly VariableDefinitionNode[]) {
    this.schema = schema;
    this.definitions = definitions;
    this.slots = definitions.map((definition) => slotOf(schema, definition));
  }

  coerce(given: Readonly<Values>): ReturnType<typeof getVariableValues> {
    try {
      return { coerced: filled(this.slots, given) };
    } catch {
      return getVariableValues(this.schema, this.definitions, given, { maxErrors: mostCoercionErrors });
    }
  }
}

function slotOf(schema: GraphQLSchema, definition: VariableDefinitionNode): Slot {
  const { variable, type: node, defaultValue } = definition;
  const type = typeFromAST(schema, node);
  const name = variable.name.value;
  const isKnown = isInputType(type) && !(name in Object.prototype); // `given` has a prototype
  return {
    name,
    coerce: isKnown ? coercerOf(type) : refuse,
    isRequired: !isKnown || isNonNullType(type),
    byDefault: isKnown && defaultValue ? valueFromAST(defaultValue, type) : undefined,
  };
}

/** Values are of JSON: none is there and undefined. */
function filled(slots: readonly Slot[], given: Readonly<Values>): Values {
  const values: Values = {};
  for (const { name, coerce, isRequired, byDefault } of slots) {
    const value = given[name];
    if (value !== undefined) values[name] = coerce(value);
    else if (byDefault !== undefined) values[name] = byDefault;
    else if (isRequired) refuse();
  }
  return values;
}

const coercers = new WeakMap<GraphQLInputType, Coerce>();

function coercerOf(type: GraphQLInputType): Coerce {
  const known = coercers.get(type);
  if (known) return known;
  const made = newCoercer(type);
  coercers.set(type, made);
  return made;
}

function newCoercer(type: GraphQLInputType): Coerce {
  if (isNonNullType(type)) {
    const coerce = coercerOf(type.ofType);
    return (value) => (value === null ? refuse() : coerce(value));
  }
  const coerce = coercerOfPresent(type);
  return (value) => (value === null ? null : coerce(value));
}

type Nullable = Exclude<GraphQLInputType, GraphQLNonNull<GraphQLInputType>>;

function coercerOfPresent(type: Nullable): Coerce {
  if (isListType(type)) {
    const coerce = coercerOf(type.ofType);
    return (value) => (Array.isArray(value) ? value.map((item) => coerce(item)) : refuse());
  }
  if (isInputObjectType(type)) return type.isOneOf ? refuse : objectCoercer(type);
  return (value) => (type.parseValue(value) as unknown) ?? refuse();
}

function objectCoercer(type: GraphQLInputObjectType): Coerce {
  let slots: readonly Slot[] | undefined; // made when it is asked for: a type may be within itself
  return (value) => {
    if (typeof value !== 'object' || Array.isArray(value)) refuse();
    slots ??= Object.values(type.getFields()).map((field) => ({
      name: field.name,
      coerce: coercerOf(field.type),
      isRequired: isNonNullType(field.type),
      byDefault: field.defaultValue,
    }));
    const given = value as Values;
    for (const name in given) if (!(name in type.getFields())) refuse();
    return filled(slots, given);
  };
}

function refuse(): never {
  throw notPlain;
}

const notPlain = new Error('for graphql-js to look at');
