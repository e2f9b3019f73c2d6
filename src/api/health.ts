import type { FastifyInstance } from 'fastify';

/** What `/readyz` answers. */
export interface ReadyAnswer {
  readonly ready: boolean;
  readonly reason?: string;
}

/** `/livez`: the process answers. `/readyz`: the schema fits and a write would be accepted now. */
export function addHealth(server: FastifyInstance, readiness: () => ReadyAnswer): void {
  server.get('/livez', () => ({ status: 'alive' }));
  server.get('/readyz', (_request, reply) => {
    const { ready, reason } = readiness();
    return reply.code(ready ? 200 : 503).send(ready ? { status: 'ready' } : { status: 'not ready', reason });
  });
}
