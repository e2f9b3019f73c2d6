import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/** So long may a browser go by what it was told: Chromium's longest. */
const maxAgeSeconds = 7_200;

const exposedHeaders = ['x-request-id', 'retry-after'];

/** Each answer has them where origins are listed, also that to a caller without one: caches must not mix them up. */
export const corsHeaders = { vary: 'Origin', 'access-control-expose-headers': exposedHeaders.join(', ') };

/** Lets pages of these origins call from a browser, without its cookies. No answer says anything of others. */
export async function addCors(server: FastifyInstance, origins: readonly string[]): Promise<void> {
  await server.register(cors, {
    origin: [...origins],
    methods: ['GET', 'POST'],
    allowedHeaders: ['content-type', 'authorization', 'x-request-id', 'apollo-require-preflight'],
    exposedHeaders,
    credentials: false,
    strictPreflight: false, // its refusal of an OPTIONS that is none would have another form than all others
    maxAge: maxAgeSeconds,
  });
}
