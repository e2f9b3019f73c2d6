import {
  BREAK,
  GraphQLError,
  parse,
  specifiedRules,
  validate,
  visit,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type ParseOptions,
  type ValidationRule,
} from 'graphql';
import type { Limits } from '../../config.js';
import { createCostLimit } from './cost-limit.js';
import { rulesOf } from './document-rules.js';
import { forgetTokens } from './forget-tokens.js';
import type { TrustedDocuments } from './trusted-documents.js';

/** Beyond so many, one is lost: the first ones say what is wrong. */
const mostErrors = 20;

export interface DocumentOptions {
  limits: Limits;
  /** only these run; undefined: all that are valid */
  trusted: TrustedDocuments | undefined;
  /** whether a caller who has not said who he is may not ask for the schema */
  hidesSchema: boolean;
}

/** Which documents run, whatever they come over. */
export interface Documents {
  readonly trusted: TrustedDocuments | undefined;
  readonly parseOptions: ParseOptions;
  readonly rules: ValidationRule[];
  readonly validationOptions: { maxErrors: number };
  /** Parses and validates, by the same rules. @throws GraphQLError where it is no GraphQL */
  read(text: string): DocumentNode | readonly GraphQLError[];
  /** Why a valid document does not run: what depends on its variables, and on who asks. */
  refusalOf(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Record<string, unknown> | null | undefined,
    isAnonymous: boolean,
  ): GraphQLError | undefined;
}

export function createDocuments(
  schema: GraphQLSchema,
  { limits, trusted, hidesSchema }: DocumentOptions,
): Documents {
  const parseOptions = { maxTokens: limits.tokens };
  const rules = rulesOf(limits);
  const validationOptions = { maxErrors: mostErrors };
  const costLimit = createCostLimit(schema, limits.cost);
  const asking = new WeakMap<DocumentNode, boolean>();
  return {
    trusted,
    parseOptions,
    rules,
    validationOptions,
    read: (text) => {
      const document = parse(text, parseOptions);
      forgetTokens(document);
      const faults = validate(schema, document, [...specifiedRules, ...rules], validationOptions);
      return faults.length > 0 ? faults : document;
    },
    refusalOf: (document, operation, variables, isAnonymous) => {
      if (hidesSchema && isAnonymous) {
        let asks = asking.get(document);
        if (asks === undefined) asking.set(document, (asks = asksForSchema(document)));
        if (asks) return noIntrospection();
      }
      return costLimit(document, operation, variables);
    },
  };
}

function asksForSchema(document: DocumentNode): boolean {
  let asks = false;
  visit(document, {
    Field: ({ name }) => {
      if (name.value !== '__schema' && name.value !== '__type') return undefined;
      asks = true;
      return BREAK;
    },
  });
  return asks;
}

function noIntrospection(): GraphQLError {
  return new GraphQLError('introspection is for callers who say who they are; schema.graphql has it all', {
    extensions: { code: 'GRAPHQL_VALIDATION_FAILED', http: { status: 400 } },
  });
}
