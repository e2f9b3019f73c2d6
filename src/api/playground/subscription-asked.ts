import { getOperationAST, OperationTypeNode, parse, type DocumentNode } from 'graphql';

interface Asked {
  query: string;
  operationName?: string | null | undefined;
}

/**
 * Runs in the browser. The editor's fetcher takes a request for a subscription by the operation's name in a parsed text, and
 * the editor's own may be the one from before: here they are made of what is sent. Undefined: it is no subscription.
 */
export function subscriptionAsked<Request extends Asked>(
  request: Request,
): { request: Request; documentAST: DocumentNode } | undefined {
  try {
    const documentAST = parse(request.query);
    const operation = getOperationAST(documentAST, request.operationName);
    if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) return undefined;
    return { request: { ...request, operationName: operation.name?.value }, documentAST };
  } catch {
    return undefined; // the server says what is wrong with it
  }
}
