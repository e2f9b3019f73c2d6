/** Clients make UUIDs. An id is held as long as its subscription lives. */
const longestId = 256;

/**
 * What graphql-ws is handed it holds as long as the subscription lives. Handed a message that is parsed already, which its
 * `parseMessage` takes as well, it holds nothing that can't be taken out of it: `Subscribe.prepare` does that.
 */
export function readMessage(message: Buffer): { forProtocol: string } | { fault: string } {
  const text = message.toString();
  let parts: { type?: unknown; id?: unknown; payload?: unknown };
  try {
    const { type, id, payload } = JSON.parse(text) as typeof parts; // and nothing else that is sent
    parts = { type, id, payload };
  } catch {
    return { forProtocol: text }; // graphql-ws closes with the code of its fault
  }
  if (typeof parts.id === 'string' && parts.id.length > longestId) {
    return { fault: `id: found ${parts.id.length} characters; allowed: ${longestId}` };
  }
  return { forProtocol: parts as unknown as string };
}
