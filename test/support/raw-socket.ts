import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from '@jest/globals';

/** A socket to the server, for what no client would send. */
export async function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** What comes back for these bytes, until the server has ended the connection. */
export async function exchangeRaw(url: string, bytes: string): Promise<string> {
  const socket = await openSocket(url);
  socket.write(bytes);
  return text(socket);
}

/** A raw answer with this status, and one error in the form that all refusals have. */
export function expectRawRefusal(answer: string, status: number, code: string): string {
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  const [head, body] = answer.split('\r\n\r\n') as [string, string];
  const requestId = /^x-request-id: (.+)$/im.exec(head)?.[1];
  expect(head).toMatch(/^content-type: application\/json; charset=utf-8$/im);
  expect(head).toMatch(/^x-content-type-options: nosniff$/im);
  const { errors } = JSON.parse(body) as { errors: [{ message: string }] };
  expect(errors).toEqual([{ message: expect.stringMatching(/./), extensions: { code, requestId } }]);
  return errors[0].message;
}
