import type { IncomingMessage } from 'node:http';

/**
 * Whether no browser page of another origin sends it. A browser lets any page open a WebSocket, or an event stream, to
 * any host, and says only in `Origin` which page it is; programs send none.
 */
export function isOfSameOrigin({ headers }: IncomingMessage): boolean {
  if (headers.origin === undefined) return true;
  return URL.parse(headers.origin)?.host === headers.host?.toLowerCase();
}
