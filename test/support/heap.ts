import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { TestServer } from './test-server.js';
import { until } from './until.js';

/** Settings of a server whose heap is to be measured: Node.js itself opens the inspector, on loopback. */
export const measurable = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };

/** What is reachable in a server that was started as `measurable`, in bytes: all else is collected before. */
export async function heapBytes({ logLines }: TestServer): Promise<number> {
  const find = () => logLines.map((line) => /Debugger listening on (ws:\S+)/.exec(line)?.[1]).find(Boolean);
  await until('the inspector listens', () => find() !== undefined);
  const inspector = new WebSocket(find()!);
  await once(inspector, 'open');
  const ask = async (method: string): Promise<Record<string, unknown>> => {
    inspector.send(JSON.stringify({ id: 1, method }));
    const [text] = (await once(inspector, 'message')) as [Buffer];
    const { result } = JSON.parse(text.toString()) as { result?: Record<string, unknown> };
    if (!result) throw new Error(`the inspector said: ${text.toString()}`);
    return result;
  };
  await ask('HeapProfiler.collectGarbage');
  const { usedSize } = await ask('Runtime.getHeapUsage');
  inspector.close(); // a process does not end while it is inspected
  await once(inspector, 'close');
  return usedSize as number;
}
