import { createClient, ScopestateError, type Client, type ClientOptions } from '../../src/client/client.js';
import { answer } from './fake-server.js';

export const atOnce = { firstDelayMillis: 1, longestDelayMillis: 1 };

export function clientOf(url: string, more: Partial<ClientOptions> = {}): Client {
  return createClient({ url, retry: atOnce, ...more });
}

/** An error is what is tested: whatever else comes is not. */
export async function errorOf(work: Promise<unknown>): Promise<ScopestateError> {
  const error: unknown = await work.then(
    (value) => new Error(`there was an answer: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (error instanceof ScopestateError) return error;
  throw error;
}

/** What a check of one unit is answered. */
export const found = answer({ data: { checkScopeStates: { results: [{ outcome: 'FOUND' }] } } });
