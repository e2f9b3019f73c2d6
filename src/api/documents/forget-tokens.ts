import type { DocumentNode } from 'graphql';

/**
 * What was parsed is held by its first token, and so is every comment of it: they are no tokens for `maxTokens`, and weigh forty
 * times as much as their text. Errors tell of places without them.
 */
export function forgetTokens({ loc }: DocumentNode): void {
  let token = loc?.startToken ?? null;
  while (token) {
    const { next } = token;
    Object.assign(token, { prev: null, next: null });
    token = next;
  }
}
