import { execute, type ExecutionResult, type GraphQLSchema } from 'graphql';
import type { CallContext } from '../caller/caller.js';
import { AnsweredSchemas, CompiledDocument } from './compiled-document.js';
import { mostCoercionErrors } from './documents/cost-limit.js';
import type { KnownDocument } from './known-documents.js';

/** To compile a document takes as long as to execute it many times: what comes once or twice is not worth it. */
const comesOften = 3;

/** Executes known documents, and compiles those that come often. */
export class Execution {
  private readonly schema: GraphQLSchema;
  private readonly answered: AnsweredSchemas;
  private readonly times = new WeakMap<KnownDocument, number>();
  /** undefined: graphql-js executes it */
  private readonly compiled = new WeakMap<KnownDocument, CompiledDocument | undefined>();

  constructor(schema: GraphQLSchema) {
    this.schema = schema;
    this.answered = new AnsweredSchemas(schema);
  }

  execute(
    known: KnownDocument,
    contextValue: CallContext,
    variableValues: Record<string, unknown> | undefined,
  ): ExecutionResult | Promise<ExecutionResult> {
    const compiled = this.compiledOf(known);
    if (compiled) return compiled.execute(contextValue, variableValues);
    return execute({
      schema: this.schema,
      document: known.document,
      contextValue,
      variableValues,
      options: { maxCoercionErrors: mostCoercionErrors },
    });
  }

  private compiledOf(known: KnownDocument): CompiledDocument | undefined {
    const compiled = this.compiled.get(known);
    if (compiled || this.compiled.has(known)) return compiled;
    const times = (this.times.get(known) ?? 0) + 1;
    this.times.set(known, times);
    if (times < comesOften) return undefined;
    const made = CompiledDocument.of(this.answered, known);
    this.compiled.set(known, made);
    return made;
  }
}
