import { once } from 'node:events';
import { connect } from 'node:net';
import { WebSocket } from 'ws';

/** Texts that would make a log's line look like another one, were they written as they are. */
export const hostileTexts: [name: string, text: string][] = [
  ['a line break', 'a\r\n{"level":"info","event":"forged","msg":"forged"}'],
  ['a line feed', 'a\n[00:00:00.000] INFO: forged'],
  ['an escape sequence', '\u001b[2J\u001b[1;1H\u001b]0;forged\u0007'],
  ['one in a single character', '\u009b2J\u009d0;forged\u009c'],
  ['a next line', 'a\u0085forged'],
  ['a line separator', 'a\u2028forged\u2029'],
  ['another direction', '\u202e\u2066forged\u2069\u200f'],
  ['a backspace', 'a\b\b\u007fforged'],
  ['half a character', '\ud800forged'],
];

const operation = 'query Q ($unit: CollectionUnitInput!) { scopeState(unit: $unit) { id } }';
/** The log has its reason. */
const switching = `mutation ($reason: String!) {
  setScopeActivation(input: { select: { ids: [] }, active: true, reason: $reason }) { outcome }
}`;

/** Sends the text in every place that a caller can reach. */
export async function sendEverywhere(url: string, text: string): Promise<void> {
  const unit = { scopeId: text, scopeKey: text, collector: text, fetcher: text };
  const bodies: unknown[] = [
    { query: operation, variables: { unit } },
    { query: operation, variables: { unit: { [text]: text } } },
    { query: operation, variables: { [text]: text } },
    { query: operation, operationName: text },
    { query: operation, extensions: { [text]: text } },
    { query: `# ${text}\n{ ${text} }` },
    { query: `{ node(id: ${JSON.stringify(text)}) { id } }` },
    { query: switching, variables: { reason: text } },
    { [text]: text },
    text,
  ];
  for (const body of bodies) await post(url, JSON.stringify(body));
  for (const encoding of ['utf8', 'latin1'] as const) {
    for (const request of rawRequests(text)) await exchange(url, Buffer.from(request, encoding));
  }
  await overWebSocket(url, text);
}

async function post(url: string, body: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  await (await fetch(url, { method: 'POST', headers, body })).text();
}

/** As no client would send them. What is no HTTP is refused; what is goes on to where it may be logged. */
function rawRequests(text: string): string[] {
  const end = 'host: x\r\nconnection: close\r\n';
  const upgrade =
    'host: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
  return [
    `GET /${text} HTTP/1.1\r\n${end}\r\n`,
    `GET /graphql?query=${text}&operationName=${text} HTTP/1.1\r\n${end}\r\n`,
    `GET /%0d%0a%1b%5b2J${encodeURIComponent(text.toWellFormed())} HTTP/1.1\r\n${end}\r\n`,
    `${text} / HTTP/1.1\r\n${end}\r\n`,
    ...[
      'x-request-id',
      'user-agent',
      'origin',
      'authorization',
      'content-type',
      'accept',
      'cookie',
      text,
    ].map((name) => `POST /graphql HTTP/1.1\r\n${end}${name}: ${text}\r\ncontent-length: 2\r\n\r\n{}`),
    `GET /graphql/stream?query=subscription HTTP/1.1\r\n${end}accept: text/event-stream\r\norigin: ${text}\r\n\r\n`,
    `GET /graphql HTTP/1.1\r\n${upgrade}origin: ${text}\r\n\r\n`,
    `GET /graphql HTTP/1.1\r\n${upgrade}sec-websocket-protocol: ${text}\r\n\r\n`,
    `GET /${text} HTTP/1.1\r\n${upgrade}\r\n`,
  ];
}

/** Until the server has ended it, or has taken the upgrade and waits. */
async function exchange(url: string, bytes: Buffer): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    if (chunk.toString('latin1').startsWith('HTTP/1.1 101')) socket.destroy();
  });
  socket.end(bytes);
  await once(socket, 'close');
}

async function overWebSocket(url: string, text: string): Promise<void> {
  for (const message of [
    { type: 'connection_init', payload: { authorization: text, [text]: text } },
    { type: text },
    text,
  ]) {
    const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', {
      headers: { 'user-agent': 'x' },
    });
    socket.on('error', () => undefined);
    await once(socket, 'open');
    socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    socket.close(1000, 'a test');
    await once(socket, 'close');
  }
}
