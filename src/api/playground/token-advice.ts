const advice =
  'Open "Headers" below the query, write {"authorization": "Bearer scst_…"} with your token into it, and press ' +
  '"Re-fetch GraphQL schema" (Ctrl-Shift-R). "scopestate token create" makes a token.';

interface Answer {
  errors?: { message: string; extensions?: { code?: string } }[];
}

/** Whether the server wants to know who asks: the schema, too, is shown to callers only. */
export function wantsToken(answer: unknown): answer is Required<Answer> {
  const { errors } = (answer ?? {}) as Answer;
  return errors?.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED') === true;
}

/** The same with what to do about it, for whoever reads it in the page. */
export function withAdvice(answer: Required<Answer>): { advice: string } & Answer {
  return { advice, ...answer };
}

/** Whether a WebSocket was closed, and not for want of a token: then to connect again may help. */
export function isWorthRetrying(event: unknown): boolean {
  const { code } = (event ?? {}) as { code?: unknown };
  return typeof code === 'number' && code !== 4403;
}
