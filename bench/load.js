// A load of so many callers, each with one kept-alive connection and one request under way: the least that a client can do
// for one, so that the machine's cores are left to the server.
import { Buffer } from 'node:buffer';
import { connect } from 'node:net';

/**
 * @param url of the server's endpoint
 * @param concurrency how many callers
 * @param millis how long
 * @param bodyOf the next request's body
 * @param isRight whether an answer's text is what was asked for
 * @returns {Promise<{ perSecond: number, p50: number, p99: number }>} requests a second, and milliseconds
 */
export async function measure(url, { concurrency, millis, bodyOf, isRight }) {
  const { hostname, port, pathname } = new URL(url);
  const times = [];
  const startedAt = performance.now();
  const head = `POST ${pathname} HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-type: application/json\r\ncontent-length: `;
  await Promise.all(
    Array.from(
      { length: concurrency },
      () =>
        new Promise((resolve, reject) => {
          const socket = connect(Number(port), hostname);
          let sentAt = 0;
          let seen = '';
          const send = () => {
            const body = bodyOf();
            sentAt = performance.now();
            socket.write(`${head}${Buffer.byteLength(body)}\r\n\r\n${body}`);
          };
          socket.setNoDelay(true).setEncoding('latin1');
          socket.on('connect', send);
          socket.on('error', reject);
          socket.on('data', (chunk) => {
            seen += chunk;
            const end = seen.indexOf('\r\n\r\n');
            if (end < 0) return;
            const length = Number(/content-length: (\d+)/i.exec(seen)?.[1]);
            if (seen.length < end + 4 + length) return;
            const text = seen.slice(end + 4);
            seen = '';
            times.push(performance.now() - sentAt);
            if (!isRight(text)) return reject(new Error(`unexpected answer: ${text}`));
            if (performance.now() - startedAt < millis) return send();
            socket.destroy();
            resolve();
          });
        }),
    ),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  times.sort((one, other) => one - other);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  return { perSecond: times.length / seconds, p50: at(0.5), p99: at(0.99) };
}

export function median(numbers) {
  const sorted = numbers.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
