import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { RequestBodies } from '../../src/api/request-bodies.js';
import type { Limits } from '../../src/config.js';
import { createLog } from '../../src/log.js';
import { expectRawRefusal, openSocket } from '../support/raw-socket.js';
import { useStateApi } from '../support/state-api.js';
import { createTestDatabase } from '../support/test-database.js';
import { until } from '../support/until.js';

const api = useStateApi(() => createTestDatabase(), {
  SCOPESTATE_MAX_BODY_BYTES: '900000',
  SCOPESTATE_MAX_UNFINISHED_BYTES: '1000000',
});
const body = JSON.stringify({ query: `{ __typename } #${'x'.repeat(600_000)}` });
const head = 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';

/** What is sent of a request before its body is whole, and what makes it whole. */
const requests = {
  'says how long it is': [
    `${head}content-length: ${body.length}\r\n\r\n${body.slice(0, -1)}`,
    body.slice(-1),
  ],
  'comes in chunks': [
    `${head}transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n`,
    '0\r\n\r\n',
  ],
} as const;

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A connection on which one has begun, and all that is heard on it. */
async function begin(text: string, url = api.server.url) {
  const socket = await openSocket(url);
  ends.push(() => socket.destroy());
  const connection = { socket, heard: '' };
  socket.setEncoding('utf8').on('data', (part: string) => (connection.heard += part));
  socket.write(text);
  await until('it is on its way', () => socket.writableLength === 0);
  return connection;
}

const refusals = () => api.server.logLines.filter((line) => line.includes('"body-not-whole"'));

describe.each(Object.entries(requests))('a body that %s', (_, [begun, rest]) => {
  test('and is not whole is refused where there are too many; those that came later go on', async () => {
    const before = refusals().length;
    const first = await begin(begun);
    await api.server.ask('{ __typename }'); // by now the first one's has begun to come
    const second = await begin(begun);
    await until('one is refused', () => first.heard.includes('\r\n\r\n{'));
    expect(expectRawRefusal(first.heard, 503, 'UNAVAILABLE')).toMatch(
      /^bodies that have not come whole: found 1\d{6} bytes of all; allowed: 1000000 \(SCOPESTATE_MAX_UNFINISHED_BYTES\); yours has been coming longest, and nothing was done$/,
    );
    expect(first.heard).toMatch(/^retry-after: 1$/im);
    expect(refusals()).toHaveLength(before + 1);
    second.socket.write(rest);
    await until('the other is answered', () => second.heard.includes('{"data":{"__typename":"Query"}}'));
    await until('the connection of the refused one is ended', () => first.socket.readyState === 'closed');
  });

  test('counts no more when it has broken off, and not when it has come whole', async () => {
    const bodies = new RequestBodies({ unfinishedBytes: 1_000_000 } as Limits, createLog('silent'));
    const requests: IncomingMessage[] = [];
    const http = createServer((request, response) => {
      requests.push(request);
      bodies.read(request, 900_000).then(
        (whole) => response.end(String(whole?.length)),
        (error: Error) => response.writeHead(503).end(error.message),
      );
    }).listen(0, '127.0.0.1');
    ends.push(() => http.close().closeAllConnections());
    await once(http, 'listening');
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    for (let times = 0; times < 3; times++) {
      const { socket } = await begin(begun, url);
      await until('it has come', () => requests[times]?.socket.bytesRead === begun.length);
      socket.destroy();
      await until('it has broken off', () => requests[times]!.closed);
    }
    for (let times = 0; times < 3; times++) {
      const connection = await begin(begun + rest, url);
      await until('it is answered', () => /\r\n\r\n.*\d/s.test(connection.heard));
      expect(connection.heard).toMatch(new RegExp(`^HTTP/1.1 200 OK\r\n.*${body.length}`, 's'));
    }
  });
});
