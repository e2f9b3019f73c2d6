import { setTimeout as delay } from 'node:timers/promises';

/** Looks until it is so; how long that took, in milliseconds. The bound is for what never comes about. */
export async function until(
  what: string,
  isSo: () => Promise<boolean> | boolean,
  boundMillis = 30_000,
): Promise<number> {
  const startedAt = performance.now();
  while (!(await isSo())) {
    if (performance.now() - startedAt > boundMillis) throw new Error(`did not come about: ${what}`);
    await delay(10);
  }
  return performance.now() - startedAt;
}
