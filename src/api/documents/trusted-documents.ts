import { createHash } from 'node:crypto';
import { parse, validate, specifiedRules, type GraphQLSchema } from 'graphql';
import type { Limits } from '../../config.js';
import { rulesOf } from './document-rules.js';

/** The document that is wanted is none of the trusted ones. */
export class Untrusted extends Error {
  override readonly name = 'Untrusted';
}

/** Documents by the names that their file gives them. */
export type DocumentFile = Readonly<Record<string, string>>;

/** The part of a request that says which document it wants. */
export interface DocumentWanted {
  readonly query?: unknown;
  readonly documentId?: unknown;
  readonly extensions?: unknown;
}

/** Only these documents run: asked for by name (`documentId`), by SHA-256 (Apollo's `persistedQuery`), or by their exact text. */
export class TrustedDocuments {
  private readonly texts: ReadonlySet<string>;
  private readonly byId: ReadonlyMap<string, string>;

  constructor(file: DocumentFile) {
    this.texts = new Set(Object.values(file));
    this.byId = new Map([
      ...Object.values(file).map((text) => [sha256(text), text] as const),
      ...Object.entries(file),
    ]);
  }

  /**
   * @returns the text of the document that is wanted
   * @throws Untrusted where it is none of these
   */
  textOf({ query, documentId, extensions }: DocumentWanted): string {
    if (typeof query === 'string' && query !== '') {
      if (this.texts.has(query)) return query;
      throw untrusted('this document is none of the trusted ones, letter by letter');
    }
    const id = documentId ?? hashOf(extensions);
    const text = typeof id === 'string' ? this.byId.get(id) : undefined;
    if (text === undefined) throw untrusted('no trusted document has this documentId, or this sha256Hash');
    return text;
  }
}

/** What is wrong with each of the documents, a line a fault. */
export function documentFaults(file: DocumentFile, schema: GraphQLSchema, limits: Limits): string[] {
  const rules = [...specifiedRules, ...rulesOf(limits)];
  return Object.entries(file).flatMap(([name, text]) => {
    const about = (fault: unknown) => `${JSON.stringify(name)}: ${(fault as Error).message}`;
    try {
      return validate(schema, parse(text, { maxTokens: limits.tokens }), rules).map(about);
    } catch (fault) {
      return [about(fault)];
    }
  });
}

function untrusted(message: string): Error {
  return new Untrusted(`only trusted documents run here: ${message}`);
}

function hashOf(extensions: unknown): unknown {
  const { persistedQuery } = (extensions ?? {}) as { persistedQuery?: { sha256Hash?: unknown } | null };
  return persistedQuery?.sha256Hash;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
