import { MessageType } from 'graphql-ws';

/** Clients make UUIDs. An id is held as long as its subscription lives. */
const longestId = 256;

/** What a client may send: graphql-ws would take any other for a fault of the server's. */
const ofClients = [
  MessageType.ConnectionInit,
  MessageType.Ping,
  MessageType.Pong,
  MessageType.Subscribe,
  MessageType.Complete,
] as string[];

const utf8 = new TextDecoder('utf-8', { fatal: true });

interface Parts {
  type?: unknown;
  id?: unknown;
  payload?: unknown;
}

/**
 * What graphql-ws is handed it holds as long as the subscription lives. Handed a message that is parsed already, which its
 * `parseMessage` takes as well, it holds nothing that can't be taken out of it: `Subscribe.prepare` does that.
 */
export function readMessage(message: Buffer): { forProtocol: string } | { fault: string } {
  let text: string;
  try {
    text = utf8.decode(message); // a byte that is none would become U+FFFD, and with it another scope id
  } catch {
    return { fault: 'message: found bytes that are not UTF-8' };
  }
  let parts: Parts;
  try {
    const { type, id, payload } = JSON.parse(text) as Parts; // and nothing else that is sent
    parts = { type, id, payload };
  } catch {
    return { forProtocol: text }; // graphql-ws closes with the code of its fault
  }
  if (typeof parts.type === 'string' && !ofClients.includes(parts.type)) {
    return { fault: `type: allowed: ${ofClients.join(', ')}` };
  }
  if (typeof parts.id === 'string' && parts.id.length > longestId) {
    return { fault: `id: found ${parts.id.length} characters; allowed: ${longestId}` };
  }
  if (parts.type === MessageType.Subscribe) nameQuery(parts.payload);
  return { forProtocol: parts as unknown as string };
}

/** A document that is asked for by its name or hash has no text, which graphql-ws insists on. */
function nameQuery(payload: unknown): void {
  if (typeof payload !== 'object' || payload === null) return;
  const asked = payload as { query?: unknown; documentId?: unknown; extensions?: unknown };
  if (asked.documentId !== undefined || asked.extensions !== undefined) asked.query ??= '';
}
