import type { IncomingMessage } from 'node:http';
import { finished } from 'node:stream/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { quoted } from '../fault.js';
import { refusal } from './http-errors.js';
import type { RequestBodies } from './request-bodies.js';

/** So long is a body that is refused read and thrown away: a caller who is still sending would miss the refusal. */
const discardMillis = 2_000;

/**
 * Takes JSON in UTF-8 only, and strictly: a byte that is no UTF-8 would otherwise become U+FFFD, and with it another
 * scope id than the one sent.
 */
export function addJsonBody(server: FastifyInstance, bodies: RequestBodies, largestBody: number): void {
  const parse = server.getDefaultJsonParser('error', 'error');
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(
    'application/json',
    async (request: FastifyRequest, payload: IncomingMessage) => {
      const charset =
        /charset\s*=\s*"?([^";\s]+)/i.exec(request.headers['content-type'] ?? '')?.[1] ?? 'utf-8';
      if (!/^utf-?8$/i.test(charset)) throw refusal(415, 'the charset of a JSON body is UTF-8');
      const encoding = request.headers['content-encoding'] ?? 'identity';
      // A few kilobytes could become gigabytes.
      if (encoding !== 'identity') {
        throw refusal(415, `content-encoding: found ${quoted(encoding)}; allowed: none`);
      }
      const ofRoute = request.routeOptions.bodyLimit ?? largestBody;
      const allowed = `${ofRoute} bytes ${ofRoute < largestBody ? 'here' : '(SCOPESTATE_MAX_BODY_BYTES)'}`;
      const length = Number(request.headers['content-length']);
      if (length > ofRoute) throw await tooLarge(payload, `${length} bytes`, allowed);
      const body = await bodies.read(payload, ofRoute).catch(async (error: Error) => {
        await discard(payload);
        throw error;
      });
      if (!body) throw await tooLarge(payload, 'more', allowed);
      let text: string;
      try {
        text = utf8.decode(body);
      } catch {
        throw refusal(400, 'the body is not UTF-8');
      }
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      void parse(request, text, (error, value) => (error ? reject(error) : resolve(value)));
      return promise;
    },
  );
}

async function tooLarge(payload: IncomingMessage, found: string, allowed: string): Promise<Error> {
  await discard(payload);
  return refusal(413, `body: found ${found}; allowed: ${allowed}`);
}

async function discard(payload: IncomingMessage): Promise<void> {
  const discarded = AbortSignal.timeout(discardMillis);
  await finished(payload.resume(), { signal: discarded }).catch(() => undefined);
}
