import { afterEach } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface Asked {
  readonly headers: IncomingHttpHeaders;
  readonly body: { query: string; variables: any };
}

/** What one attempt meets. */
export type Reply = (response: ServerResponse, asked: Asked) => unknown;

export interface FakeServer {
  readonly url: string;
  /** what has arrived so far */
  readonly asked: Asked[];
  close(): Promise<unknown>;
}

const open: (() => Promise<unknown>)[] = [];
afterEach(() => Promise.all(open.splice(0).map((close) => close())));

/** A server that answers the first request with the first reply and so on, and the last reply from then on. */
export async function fakeServer(...replies: [Reply, ...Reply[]]): Promise<FakeServer> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      const one = { headers: request.headers, body: body as Asked['body'] };
      const reply = replies[Math.min(asked.push(one), replies.length) - 1]!;
      return reply(response, one);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    if (server.listening) await once(server.close(), 'close');
  };
  open.push(close);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`, asked, close };
}

export function answer(body: unknown, status = 200, headers: Record<string, string> = {}): Reply {
  return (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

export function refuse(
  code: string,
  more: { status?: number; field?: string; retryAfter?: string } = {},
): Reply {
  const { status = 200, field, retryAfter } = more;
  const error = { message: 'a reason', extensions: { code, requestId: 'theirs', ...(field && { field }) } };
  return answer({ errors: [error] }, status, retryAfter === undefined ? {} : { 'retry-after': retryAfter });
}

/** The connection breaks after the request has arrived. */
export const breakOff: Reply = (response) => response.destroy();
/** Half an answer, and the connection breaks. */
export const breakInside: Reply = (response) => {
  response.writeHead(200, { 'content-length': 1000 }).write('{"data":', () => response.destroy());
};
/** Never answers. */
export const keepSilent: Reply = () => {};
