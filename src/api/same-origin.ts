import type { IncomingMessage } from 'node:http';

/**
 * Whether no browser page of another origin sends it, unless of one that is allowed. A browser lets any page open a WebSocket, or an event stream, to
 * any host, and says only in `Origin` which page it is; programs send none.
 */
export function isOfSameOrigin({ headers }: IncomingMessage, allowed: readonly string[]): boolean {
  if (headers.origin === undefined || allowed.includes(headers.origin)) return true;
  return URL.parse(headers.origin)?.host === headers.host?.toLowerCase();
}
