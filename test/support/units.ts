import { randomUUID } from 'node:crypto';

export interface Unit {
  scopeId: string;
  scopeKey: string;
  collector: string;
  fetcher: string;
}

/** A unit that no other test uses, but for what is given. */
export function unit(given: Partial<Unit> = {}): Unit {
  return {
    scopeId: randomUUID(),
    scopeKey: 'project_id',
    collector: 'gnocchi',
    fetcher: 'keystone',
    ...given,
  };
}

/** How many of the full run's rounds or rows this run does; the full run is `TEST_SCALE=1`. */
export function scaled(full: number, least = 1): number {
  return Math.max(least, Math.round(full * Number(process.env['TEST_SCALE'] ?? '0.1')));
}
