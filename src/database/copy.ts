import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from } from 'pg-copy-streams';
import type { PoolClient } from './pool.js';

/** Sends the chunks behind a `copy … from stdin`, as fast as the database takes them; ends it when they fail. */
export async function copyInto(
  client: PoolClient,
  statement: string,
  chunks: AsyncIterable<string>,
): Promise<void> {
  // A session that breaks answers nothing more: without this the stream would wait for the answer.
  const broken = Promise.withResolvers<never>();
  client.once('error', broken.reject);
  try {
    await Promise.race([
      broken.promise,
      pipeline(Readable.from(bytesOf(chunks), { highWaterMark: 1 }), client.query(from(statement))),
    ]);
  } finally {
    client.off('error', broken.reject);
  }
}

async function* bytesOf(chunks: AsyncIterable<string>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) yield Buffer.from(chunk);
}
