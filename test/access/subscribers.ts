import { once } from 'node:events';
import { WebSocket } from 'ws';
import { subscription } from '../support/subscriber.js';

export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** A subscriber over a WebSocket of its own, at the level of the protocol. */
export interface Socket {
  readonly messages: { type: string; payload?: any }[];
  /** settles when the server has acknowledged the connection */
  readonly acknowledged: Promise<unknown>;
  readonly closed: Promise<Closing>;
  end(): void;
}

export function openSocket(
  url: string,
  { header, payload }: { header?: string; payload?: unknown } = {},
): Socket {
  const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', {
    headers: header === undefined ? {} : { authorization: header },
  });
  const messages: Socket['messages'] = [];
  const { promise: acknowledged, resolve } = Promise.withResolvers<void>();
  socket.on('message', (text: Buffer) => {
    const message = JSON.parse(text.toString()) as Socket['messages'][number];
    messages.push(message);
    if (message.type !== 'connection_ack') return;
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: subscription } }));
    resolve();
  });
  socket.on('open', () =>
    socket.send(JSON.stringify({ type: 'connection_init', ...(payload !== undefined && { payload }) })),
  );
  return {
    messages,
    acknowledged,
    closed: once(socket, 'close').then(([code, reason]) => ({
      code: code as number,
      reason: String(reason),
    })),
    end: () => socket.terminate(),
  };
}

/** A subscription over server-sent events: what came, and the whole text once it has ended. */
export interface Stream {
  readonly status: number;
  readonly headers: Headers;
  /** settles with the first bytes */
  readonly begun: Promise<unknown>;
  readonly text: Promise<string>;
}

export async function openStream(url: string, token?: string): Promise<Stream> {
  const response = await fetch(new URL('/graphql/stream', url), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query: subscription }),
  });
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  const read = async () => {
    let text = '';
    for await (const chunk of response.body!) {
      text += Buffer.from(chunk).toString();
      resolve();
    }
    return text;
  };
  return { status: response.status, headers: response.headers, begun, text: read() };
}
