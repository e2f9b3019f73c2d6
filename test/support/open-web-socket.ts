import { once } from 'node:events';
import { WebSocket } from 'ws';
import { subscription } from './subscriber.js';

/** One that has begun by graphql-transport-ws, for tests of what is said on it. */
export async function openWebSocket(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init' }));
  await once(socket, 'message');
  return socket;
}

/** What a subscription is answered first. */
export async function answerTo(socket: WebSocket, id: string): Promise<any> {
  socket.send(JSON.stringify({ type: 'subscribe', id, payload: { query: subscription } }));
  const [message] = (await once(socket, 'message')) as [Buffer];
  return JSON.parse(message.toString());
}
