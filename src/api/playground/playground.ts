import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { pageHeaders } from '../security-headers.js';
import { page } from './page.js';

/** Made by `npm run build` (scripts/bundle-playground.js). */
const assets = join(import.meta.dirname, 'assets');

/** The page's files, at /graphql/playground/. */
export async function addPlaygroundAssets(server: FastifyInstance): Promise<void> {
  await server.register(fastifyStatic, {
    root: assets,
    prefix: '/graphql/playground/',
    index: false,
    preCompressed: true,
    setHeaders: (reply) => void reply.headers(pageHeaders),
  });
}

/** Whether a browser wants to show something: what asks for JSON, for anything, or brings a query gets an answer. */
export function wantsPlayground(request: FastifyRequest): boolean {
  if (request.method !== 'GET' || 'query' in (request.query as object)) return false;
  return new Negotiator(request.raw).mediaType(['application/json', 'text/html']) === 'text/html';
}

export function sendPlayground(reply: FastifyReply): FastifyReply {
  return reply
    .headers({ ...pageHeaders, vary: 'accept', 'cache-control': 'no-cache' })
    .type('text/html; charset=utf-8')
    .send(page);
}
