import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { expectClean, longestMessage, useAttackedServer } from './attacked-server.js';
import type { Answer } from '../support/test-server.js';

const attacked = useAttackedServer();

const json = { 'content-type': 'application/json' };
const ask = JSON.stringify({ query: '{ __typename }' });
const megabytes = (n: number) => n * 1024 * 1024;
const post = (
  body: NonNullable<RequestInit['body']>,
  headers: Record<string, string> = json,
): RequestInit => ({
  method: 'POST',
  headers,
  body,
});
const utf16 = Buffer.from(`\ufeff${ask}`, 'utf16le');

const requests: [name: string, status: number, request: RequestInit, path?: string][] = [
  [
    'a gzip bomb',
    415,
    post(gzipSync(Buffer.alloc(megabytes(200), ' ')), { ...json, 'content-encoding': 'gzip' }),
  ],
  ['deflate', 415, post(ask, { ...json, 'content-encoding': 'deflate' })],
  ['an encoding that there is not', 415, post(ask, { ...json, 'content-encoding': 'gzip, gzip, x' })],
  ['UTF-7', 415, post('+AHs-', { 'content-type': 'application/json; charset=utf-7' })],
  ['UTF-16', 415, post(utf16, { 'content-type': 'application/json; charset=utf-16' })],
  ['UTF-16 that says it is UTF-8', 400, post(utf16)],
  ['overlong UTF-8', 400, post(Buffer.from([0x7b, 0xc0, 0xaf, 0x7d]))],
  ['a surrogate in UTF-8', 400, post(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))],
  ['half a character at the end', 400, post(Buffer.from([0x22, 0xc3]))],
  ['a text that is no JSON', 400, post('{ query: {} }')],
  ['JSON with a comment', 400, post(`/* */${ask}`)],
  ['two JSON values', 400, post(`${ask}${ask}`)],
  ['NaN', 400, post('{"query":"{a}","variables":{"a":NaN}}')],
  ['a number without an end', 400, post(`{"query":${'9'.repeat(1_000_000)}}`)],
  ['100,000 brackets', 400, post('['.repeat(100_000))],
  ['a batch', 400, post(`[${ask},${ask}]`)],
  ['__proto__', 400, post('{"query":"{ __typename }","__proto__":{"query":"{ a }"}}')],
  ['__proto__ in the variables', 400, post('{"query":"{ __typename }","variables":{"__proto__":{"a":1}}}')],
  ['an escaped __proto__', 400, post(String.raw`{"query":"{ __typename }","\u005f_proto__":{"a":1}}`)],
  ['constructor.prototype', 400, post('{"query":"{ __typename }","constructor":{"prototype":{"a":1}}}')],
  ['a query that is an object', 400, post('{"query":{"$ne":null}}')],
  ['a query that is null', 400, post('{"query":null}')],
  ['5 MiB', 413, post(`{"query":"${' '.repeat(megabytes(5))}"}`)],
  ['a form', 415, post('query={__typename}', { 'content-type': 'application/x-www-form-urlencoded' })],
  ['a multipart form', 415, post('--x--', { 'content-type': 'multipart/form-data; boundary=x' })],
  ['text', 415, post(ask, { 'content-type': 'text/plain' })],
  [
    'XML',
    415,
    post('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', { 'content-type': 'text/xml' }),
  ],
  ['GraphQL as it is', 415, post('{ __typename }', { 'content-type': 'application/graphql' })],
  [
    'a content type with a line break escaped',
    415,
    post(ask, { 'content-type': 'application/json%0d%0aa: b' }),
  ],
  ['a forged GET', 400, {}, '/graphql?query={__typename}'],
  [
    'a forged GET of a mutation',
    405,
    { headers: { 'apollo-require-preflight': '1' } },
    '/graphql?query=mutation{checkScopeState(input:{unit:{scopeId:"a",scopeKey:"a",collector:"a",fetcher:"a"}}){outcome}}',
  ],
  ['PUT', 405, { ...post(ask), method: 'PUT' }],
  ['DELETE', 405, { method: 'DELETE' }],
  ['PATCH', 405, { ...post(ask), method: 'PATCH' }],
  ['a path out of the folder', 404, {}, '/graphql/../../../etc/passwd'],
  ['an encoded path out of the folder', 404, {}, '/..%2f..%2fetc%2fpasswd'],
  ['a path among the playground’s files', 404, {}, '/playground/..%2f..%2fpackage.json'],
  ['a path with a NUL', 404, {}, '/graphql%00'],
  ['a path whose encoding is broken', 400, {}, '/%c3%28%'],
  ['a path of 10,000 characters', 404, {}, `/${'a'.repeat(10_000)}`],
  ['a query string of 10,000 parameters', 400, {}, `/graphql?${'a=1&'.repeat(3_000)}`],
];

describe('a request', () => {
  test.each(requests)('%s: %i', async (_name, status, request, ...[path]) => {
    const answer = await attacked.strikeWith(request, path);
    expect({ status: answer.status, errors: answer.errors?.length }).toEqual({ status, errors: 1 });
    expect(answer.data).toBeUndefined();
    expect(answer.errors![0]!.message.length).toBeLessThanOrEqual(longestMessage);
  });

  test('of which a key is there twice is read as JSON.parse reads it', async () => {
    const answer = await attacked.strikeWith(post('{"query":"{ a }","query":"{ __typename }"}'));
    expect(answer).toEqual({ status: 200, data: { __typename: 'Query' } });
  });

  test.each([
    'X-Forwarded-For',
    'X-HTTP-Method-Override',
    'X-Original-URL',
    'Forwarded',
    'X-Request-Id',
    'User-Agent',
    'Referer',
  ])('with nonsense in %s is answered', async (name) => {
    for (const value of [
      '127.0.0.1',
      'DELETE',
      '${jndi:ldap://a}',
      `'; drop table x`,
      '\\u001b[2J',
      'x'.repeat(4_000),
    ]) {
      const answer = await attacked.strikeWith(post(ask, { ...json, [name]: value }));
      expect(answer).toEqual({ status: 200, data: { __typename: 'Query' } });
    }
  });
});

/** What comes back for bytes that no client sends, until the server closes the connection. */
async function rawAnswer(bytes: string): Promise<string> {
  const { hostname, port } = new URL(attacked.server.url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => undefined);
  socket.write(bytes, 'latin1');
  await once(socket, 'close');
  return text;
}

const head = (more: string, method = 'POST /graphql') =>
  `${method} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${more}`;

/** Status undefined: the connection may also just be closed. */
const bytes: [name: string, status: number, bytes: string][] = [
  ['no HTTP', 400, 'hello\r\n\r\n'],
  ['a TLS handshake', 400, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.padEnd(300, 'a')],
  ['HTTP/2', 400, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a method that there is not', 400, head('connection: close\r\n\r\n', 'STEAL /graphql')],
  ['a length and chunks', 400, head('content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n')],
  ['two lengths', 400, head('content-length: 5\r\ncontent-length: 6\r\n\r\nabcdef')],
  ['a length below zero', 400, head('content-length: -1\r\n\r\n')],
  ['a length that is none', 400, head('content-length: 0x10\r\n\r\n')],
  ['a chunk that is none', 400, head('transfer-encoding: chunked\r\n\r\nxyz\r\n')],
  ['chunked, obfuscated', 400, head('transfer-encoding: xchunked\r\n\r\n0\r\n\r\n')],
  ['a header without a colon', 400, head('nonsense\r\n\r\n')],
  ['a header with a NUL', 400, head('a: b\0c\r\n\r\n')],
  ['a line feed alone in a header', 400, head('a: b\nc: d\r\n\r\n')],
  ['a header that goes on in the next line', 400, head('a: b\r\n c\r\n\r\n')],
  ['100 kB of headers', 431, head(`a: ${'x'.repeat(100_000)}\r\n\r\n`)],
  ['10,000 headers', 431, head(`${'a: b\r\n'.repeat(10_000)}\r\n`)],
  ['an address of 100 kB', 431, `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`],
  [
    'an absolute address of another host',
    404,
    'GET http://127.0.0.1:1/x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
  ],
  ['TRACE', 404, head('connection: close\r\n\r\n', 'TRACE /')],
];

describe('on the wire,', () => {
  test('no host: 400, by Node.js itself, with nothing to read', async () => {
    const answer = await rawAnswer('GET /livez HTTP/1.1\r\nconnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer.split('\r\n\r\n')[1]!.trim()).toMatch(/^(0)?$/);
  });

  test.each(bytes)('%s: %i, in JSON', async (_name, status, sent) => {
    const answer = await rawAnswer(sent);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    const [header = '', body = ''] = answer.split('\r\n\r\n');
    expect(header).toMatch(/^content-type: application\/json/im);
    expect(answer.split('HTTP/1.1 ')).toHaveLength(2); // one request, one answer
    const requestId = /^x-request-id: (.+)$/im.exec(header)?.[1] ?? null;
    expectClean(JSON.parse(body) as Answer, requestId);
    expect((JSON.parse(body) as Answer).errors).toHaveLength(1);
  });
});
