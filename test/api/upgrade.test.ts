import { expect, test } from '@jest/globals';
import { exchangeRaw } from '../support/raw-socket.js';
import { useStateApi } from '../support/state-api.js';
import { createTestDatabase } from '../support/test-database.js';

const api = useStateApi(() => createTestDatabase());

/** As Java’s HttpClient asks unless it is told otherwise, and `curl --http2`. */
const asksForHttp2 = [
  'Connection: Upgrade, HTTP2-Settings, close',
  'Upgrade: h2c',
  'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA',
];
const body = '{"query":"{ __typename }"}';

test.each([
  ['a request', 'POST /graphql', '{"data":{"__typename":"Query"}}', asksForHttp2],
  ['a question for health', 'GET /readyz', '{"status":"ready"}', asksForHttp2],
  [
    'a POST that asks for a WebSocket',
    'POST /graphql',
    '{"data":{"__typename":"Query"}}',
    ['Connection: Upgrade, close', 'Upgrade: websocket'],
  ],
])(
  '%s that would rather use another protocol is answered in this one',
  async (_what, line, answer, headers) => {
    const sent = line.startsWith('POST')
      ? ['Content-Type: application/json', `Content-Length: ${body.length}`, '', body]
      : ['', ''];
    const answered = await exchangeRaw(
      api.server.url,
      [`${line} HTTP/1.1`, 'Host: localhost', ...headers, ...sent].join('\r\n'),
    );
    expect(answered).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answered.split('\r\n\r\n')[1]!.trim()).toBe(answer);
  },
);
