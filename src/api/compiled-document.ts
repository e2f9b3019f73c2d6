import {
  execute,
  getArgumentValues,
  GraphQLObjectType,
  GraphQLSchema,
  isAbstractType,
  isObjectType,
  Kind,
  OperationTypeNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type ExecutionResult,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLResolveInfo,
  type OperationDefinitionNode,
} from 'graphql';
import { compileQuery, isCompiledQuery, type CompiledQuery } from 'graphql-jit';
import type { CallContext } from '../caller/caller.js';
import { CompiledVariables } from './compiled-variables.js';
import type { KnownDocument } from './known-documents.js';

type Values = Record<string, unknown>;
type Variables = Values | undefined;
type Answer = ExecutionResult | Promise<ExecutionResult>;

/**
 * A document of one root field, whose answer is only read. Its variables are coerced as graphql-js would, and its resolver
 * is asked as graphql-js would; what that answers is made into `data` by code that graphql-jit wrote for the document, once.
 * Whatever is at fault, graphql-js says: it goes over the same answer again.
 */
export class CompiledDocument {
  private readonly variables: CompiledVariables;
  private readonly field: GraphQLField<unknown, unknown>;
  private readonly info: Omit<GraphQLResolveInfo, 'variableValues'>;
  private readonly answered: Answered;
  private readonly argumentsOf: (coerced: Values) => Values;

  private constructor(schema: GraphQLSchema, { document, operation }: KnownDocument, answered: Answered) {
    const node = onlyField(operation)!;
    const parentType = schema.getRootType(operation.operation)!;
    const key = (node.alias ?? node.name).value;
    this.variables = new CompiledVariables(schema, operation.variableDefinitions ?? []);
    this.answered = answered;
    this.field = parentType.getFields()[node.name.value] as GraphQLField<unknown, unknown>;
    this.argumentsOf = argumentsOf(this.field, node);
    this.info = {
      fieldName: this.field.name,
      fieldNodes: [node],
      returnType: this.field.type,
      parentType,
      path: { prev: undefined, key, typename: parentType.name },
      schema,
      fragments: fragmentsOf(document),
      rootValue: undefined,
      operation,
    };
  }

  /** undefined: it is for graphql-js to execute */
  static of(schemas: AnsweredSchemas, known: KnownDocument): CompiledDocument | undefined {
    const schema = schemas.asked;
    const node = onlyField(known.operation);
    if (!node || !isOnlyRead(schema, known.document, node)) return undefined;
    const answered = schemas.of(known.operation.operation);
    const document = answeredDocument(known, node);
    const compiled = compileQuery(answered, document, undefined, { disablingCapturingStackErrors: true });
    return isCompiledQuery(compiled)
      ? new CompiledDocument(schema, known, { schema: answered, document, compiled })
      : undefined;
  }

  execute(context: CallContext, variables: Variables): Answer {
    const { errors, coerced } = this.variables.coerce(variables ?? {});
    if (errors) return { errors };
    const failed = (error: unknown) => this.goOver(context, () => raise(error));
    let answer: unknown;
    try {
      const args = this.argumentsOf(coerced);
      answer = this.field.resolve!(undefined, args, context, { ...this.info, variableValues: coerced });
    } catch (error) {
      return failed(error);
    }
    const complete = (value: unknown) => this.complete(context, value);
    return answer instanceof Promise ? answer.then(complete, failed) : complete(answer);
  }

  private complete(context: CallContext, answer: unknown): Answer {
    try {
      const result = this.answered.compiled.query({ [this.field.name]: answer }, context, undefined);
      if ('data' in result && !result.errors) return result;
    } catch {
      // such as a getter's: graphql-js knows where it belongs
    }
    return this.goOver(context, () => answer);
  }

  private goOver(contextValue: CallContext, answer: () => unknown): Answer {
    const { schema, document } = this.answered;
    return execute({ schema, document, contextValue, rootValue: { [this.field.name]: answer } });
  }
}

/** Where all arguments of a field are given, as variables that are there, these are their values; else graphql-js coerces them. */
function argumentsOf(field: GraphQLField<unknown, unknown>, node: FieldNode): (coerced: Values) => Values {
  const byJs = (coerced: Values) => getArgumentValues(field, node, coerced);
  const given = node.arguments ?? [];
  const names = given.flatMap(({ name, value }) =>
    value.kind === Kind.VARIABLE ? [[name.value, value.name.value] as const] : [],
  );
  if (names.length < field.args.length) return byJs;
  return (coerced) => {
    const values: Values = {};
    for (const [name, variable] of names) {
      if (!Object.hasOwn(coerced, variable) || coerced[variable] === null) return byJs(coerced);
      values[name] = coerced[variable];
    }
    return values;
  };
}

/** What is executed when the root field's answer is there. */
interface Answered {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly compiled: CompiledQuery;
}

/** A schema, and for each kind of operation one whose root fields are asked nothing and ask nobody: a mutation's are read as a query's. */
export class AnsweredSchemas {
  readonly asked: GraphQLSchema;
  private readonly answered = new Map<OperationTypeNode, GraphQLSchema>();

  constructor(asked: GraphQLSchema) {
    this.asked = asked;
  }

  of(operation: OperationTypeNode): GraphQLSchema {
    const made = this.answered.get(operation) ?? withRoot(this.asked, this.asked.getRootType(operation)!);
    this.answered.set(operation, made);
    return made;
  }
}

function withRoot(schema: GraphQLSchema, root: GraphQLObjectType): GraphQLSchema {
  const { types, query, mutation, subscription, ...config } = schema.toConfig();
  const { fields, ...ofRoot } = root.toConfig();
  const read = Object.entries(fields).map(([name, { type }]) => [name, { type }] as const);
  const roots: unknown[] = [query, mutation, subscription];
  return new GraphQLSchema({
    ...config,
    query: new GraphQLObjectType({ ...ofRoot, fields: Object.fromEntries(read) }),
    types: types.filter((type) => !roots.includes(type)),
    assumeValid: true,
  });
}

function answeredDocument({ document, operation }: KnownDocument, node: FieldNode): DocumentNode {
  const selectionSet = { ...operation.selectionSet, selections: [{ ...node, arguments: [] }] };
  const answered = {
    ...operation,
    operation: OperationTypeNode.QUERY,
    variableDefinitions: [],
    selectionSet,
  };
  const definitions = document.definitions.map((each) => (each === operation ? answered : each));
  return { ...document, definitions };
}

function onlyField({ selectionSet: { selections } }: OperationDefinitionNode): FieldNode | undefined {
  const [selection, ...others] = selections;
  return selection?.kind === Kind.FIELD && others.length === 0 && !selection.name.value.startsWith('__')
    ? selection
    : undefined;
}

/** Whether below the root nothing is asked, and nothing is waited for. */
function isOnlyRead(schema: GraphQLSchema, document: DocumentNode, root: FieldNode): boolean {
  const types = new TypeInfo(schema);
  let isRead = true;
  visit(
    document,
    visitWithTypeInfo(types, {
      Field: (node) => {
        const parent = types.getParentType();
        const isMeta = node.name.value === '__typename';
        if (node === root || isMeta) return;
        isRead &&= !!parent && node.alias?.value !== '__proto__' && isPlain(schema, parent, node.name.value);
      },
    }),
  );
  return isRead;
}

function isPlain(schema: GraphQLSchema, parent: GraphQLCompositeType, name: string): boolean {
  const types = isAbstractType(parent) ? schema.getPossibleTypes(parent) : [parent];
  return types.filter(isObjectType).every((type) => {
    const field = type.getFields()[name];
    return field !== undefined && field.resolve === undefined && field.args.length === 0;
  });
}

function fragmentsOf({ definitions }: DocumentNode): Record<string, FragmentDefinitionNode> {
  const fragments = definitions.filter((each) => each.kind === Kind.FRAGMENT_DEFINITION);
  return Object.fromEntries(fragments.map((fragment) => [fragment.name.value, fragment]));
}

function raise(error: unknown): never {
  throw error;
}
