import { withinCloseTime } from './close-time.js';
import type { Client } from './pool.js';

/** Ends it, soon: a session that is stuck, or frozen, does not answer the farewell. */
export async function endConnection(client: Client): Promise<void> {
  await withinCloseTime(client.end().catch(() => undefined));
  client.connection.stream.destroy();
}
