import {
  execute,
  getArgumentValues,
  getVariableValues,
  GraphQLObjectType,
  GraphQLSchema,
  isAbstractType,
  isObjectType,
  Kind,
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
import { mostCoercionErrors } from './documents/cost-limit.js';
import type { KnownDocument } from './known-documents.js';

type Variables = Record<string, unknown> | undefined;
type Answer = ExecutionResult | Promise<ExecutionResult>;

/**
 * A document of one root field, whose answer is only read. graphql-js coerces its variables and arguments, and its resolver
 * is asked as graphql-js would; what that answers is made into `data` by code that graphql-jit wrote for the document, once.
 * Whatever is at fault, graphql-js says: it goes over the same answer again.
 */
export class CompiledDocument {
  private readonly schema: AnsweredSchema;
  private readonly known: KnownDocument;
  private readonly field: GraphQLField<unknown, unknown>;
  private readonly node: FieldNode;
  private readonly info: Omit<GraphQLResolveInfo, 'variableValues'>;
  private readonly compiled: CompiledQuery;

  private constructor(
    schema: AnsweredSchema,
    known: KnownDocument,
    { node, compiled }: { node: FieldNode; compiled: CompiledQuery },
  ) {
    const parentType = schema.asked.getRootType(known.operation.operation)!;
    const key = (node.alias ?? node.name).value;
    this.schema = schema;
    this.known = known;
    this.node = node;
    this.compiled = compiled;
    this.field = parentType.getFields()[node.name.value] as GraphQLField<unknown, unknown>;
    this.info = {
      fieldName: this.field.name,
      fieldNodes: [node],
      returnType: this.field.type,
      parentType,
      path: { prev: undefined, key, typename: parentType.name },
      schema: schema.asked,
      fragments: fragmentsOf(known.document),
      rootValue: undefined,
      operation: known.operation,
    };
  }

  /** undefined: it is for graphql-js to execute */
  static of(schema: AnsweredSchema, known: KnownDocument): CompiledDocument | undefined {
    const node = onlyField(known.operation);
    if (!node || !isOnlyRead(schema.asked, known.document, node)) return undefined;
    const compiled = compileQuery(schema.answered, withoutVariables(known, node), undefined, {
      disablingCapturingStackErrors: true,
    });
    return isCompiledQuery(compiled) ? new CompiledDocument(schema, known, { node, compiled }) : undefined;
  }

  execute(context: CallContext, variables: Variables): Answer {
    const definitions = this.known.operation.variableDefinitions ?? [];
    const { errors, coerced } = getVariableValues(this.schema.asked, definitions, variables ?? {}, {
      maxErrors: mostCoercionErrors,
    });
    if (errors) return { errors };
    const failed = (error: unknown) => this.goOver(context, variables, () => raise(error));
    let answer: unknown;
    try {
      const args = getArgumentValues(this.field, this.node, coerced);
      answer = this.field.resolve!(undefined, args, context, { ...this.info, variableValues: coerced });
    } catch (error) {
      return failed(error);
    }
    const complete = (value: unknown) => this.complete(context, variables, value);
    return answer instanceof Promise ? answer.then(complete, failed) : complete(answer);
  }

  private complete(context: CallContext, variables: Variables, answer: unknown): Answer {
    try {
      const result = this.compiled.query({ [this.field.name]: answer }, context, undefined);
      if ('data' in result && !result.errors) return result;
    } catch {
      // such as a getter's: graphql-js knows where it belongs
    }
    return this.goOver(context, variables, () => answer);
  }

  private goOver(contextValue: CallContext, variableValues: Variables, answer: () => unknown): Answer {
    return execute({
      schema: this.schema.answered,
      document: this.known.document,
      rootValue: { [this.field.name]: answer },
      contextValue,
      variableValues,
      options: { maxCoercionErrors: mostCoercionErrors },
    });
  }
}

/** A schema, and the same without arguments and resolvers of root fields: what they answer is there already. */
export class AnsweredSchema {
  readonly asked: GraphQLSchema;
  readonly answered: GraphQLSchema;

  constructor(asked: GraphQLSchema) {
    const { types, query, mutation, ...config } = asked.toConfig();
    this.asked = asked;
    this.answered = new GraphQLSchema({
      ...config,
      query: query && answered(query),
      mutation: mutation && answered(mutation),
      types: types.filter((type) => type !== query && type !== mutation),
      assumeValid: true,
    });
  }
}

function answered(type: GraphQLObjectType): GraphQLObjectType {
  const { fields, ...config } = type.toConfig();
  const read = Object.entries(fields).map(([name, field]) => [name, { type: field.type }] as const);
  return new GraphQLObjectType({ ...config, fields: Object.fromEntries(read) });
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
        if (node === root || (isMeta && parent)) return;
        isRead &&= parent !== undefined && parent !== null && isPlain(schema, parent, node.name.value);
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

/** What its root field is asked with is of no interest to who has the answer. */
function withoutVariables({ document, operation }: KnownDocument, node: FieldNode): DocumentNode {
  const selectionSet = { ...operation.selectionSet, selections: [{ ...node, arguments: [] }] };
  const answered = { ...operation, variableDefinitions: [], selectionSet };
  const definitions = document.definitions.map((each) => (each === operation ? answered : each));
  return { ...document, definitions };
}

function fragmentsOf({ definitions }: DocumentNode): Record<string, FragmentDefinitionNode> {
  const fragments = definitions.filter((each) => each.kind === Kind.FRAGMENT_DEFINITION);
  return Object.fromEntries(fragments.map((fragment) => [fragment.name.value, fragment]));
}

function raise(error: unknown): never {
  throw error;
}
