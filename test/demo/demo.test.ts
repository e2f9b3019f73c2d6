import { afterEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type ScopeState } from '../../src/client/client.js';
import { useStateApi } from '../support/state-api.js';
import { connectAsOwner } from '../support/embedded-owner-client.js';
import { createTestDatabase } from '../support/test-database.js';
import { unit } from '../support/units.js';
import { startDemo, type DemoProcess } from './demo-process.js';

let running: DemoProcess | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

function demo(...words: string[]): DemoProcess {
  return (running = startDemo(words));
}

async function statesOf(url: string): Promise<ScopeState[]> {
  const states: ScopeState[] = [];
  for await (const state of createClient({ url }).scopeStates()) states.push(state);
  return states;
}

/** How many periods the states of a collector have moved since `before`, on average. */
function movedOf(collector: string, before: ScopeState[], after: ScopeState[]): number {
  const timeOf = new Map(before.map((state) => [state.id, state.lastProcessedTimestamp]));
  const moves = after
    .filter((state) => state.collector === collector && timeOf.has(state.id))
    .map((state) => Date.parse(state.lastProcessedTimestamp) - Date.parse(timeOf.get(state.id)!));
  return moves.reduce((sum, move) => sum + move, 0) / moves.length / 60_000;
}

describe('a demo with a server of its own', () => {
  test('stops it when nobody reads any more what it tells', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'scopestate-demo-'));
    const left = demo('--serve', '--data-dir', join(folder, 'data'), '--scopes', '3');
    await left.line(/listens on/);
    const pid = Number((await readFile(join(folder, 'data/postgres/postmaster.pid'), 'utf8')).split('\n')[0]);
    left.stopReading();
    await left.ended;
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    await rm(folder, { recursive: true });
  });

  test('shows a cloud at work, stops when told, and goes on with what it left', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'scopestate-demo-'));
    const words = ['--serve', '--data-dir', join(folder, 'data'), '--scopes', '300', '--speed', '60'];
    try {
      const first = demo(...words);
      const [, url] = await first.line(/listens on (\S+)/);
      await first.line(/^found 0 states of the demo, created 315 and 16 legacy ones/);
      const before = await statesOf(url!);
      for (let report = 1; report <= 3; report++) await first.line(/ advanced/, { next: true });
      const after = await statesOf(url!);
      const owner = await connectAsOwner(join(folder, 'data'));
      await owner.query(`update scopestate_history set recorded_at = recorded_at - interval '401 days'
                         where sequence <= 10`);
      await owner.end();
      expect(await first.stop()).toBe(0);

      const legacyBefore = before.filter(({ legacy }) => legacy).map(({ id }) => id);
      const backfilled = after.filter(({ id, legacy }) => legacyBefore.includes(id) && !legacy);
      expect(backfilled).not.toHaveLength(0);
      expect(after.filter(({ legacy }) => legacy)).not.toHaveLength(0); // of projects that nobody reads any more
      expect(after.filter(({ active }) => !active)).not.toHaveLength(0);
      expect(movedOf('gnocchi', before, after)).toBeGreaterThan(0.3);
      expect(movedOf('monasca', before, after)).toBeLessThan(movedOf('gnocchi', before, after) / 2);

      const second = demo(...words);
      const [, found] = await second.line(/^found (\d+) states of the demo, created 0 and 0 legacy ones/);
      expect(Number(found)).toBeGreaterThanOrEqual(after.length);
      await second.line(/"event":"history-pruned","pruned":10,/);
      expect(second.lines.join('\n')).not.toContain('history-not-pruned');
      expect(await second.stop()).toBe(0);
    } finally {
      await running?.stop();
      await rm(folder, { recursive: true });
    }
  });
});

describe('a demo for a running server', () => {
  const api = useStateApi(() => createTestDatabase());

  test('refuses a database with states of others, and fills it when told to', async () => {
    const other = unit();
    await api.insertExact(other, '2026-01-01T00:00:00Z');
    const words = ['--url', api.server.url, '--scopes', '60'];
    const refused = demo(...words);
    expect(await refused.ended).toBe(1);
    expect(refused.lines).toEqual([
      expect.stringMatching(/^filling /),
      expect.stringMatching(
        /^scopestate: the database already holds states that are not the demo's .* --into-existing to insist$/,
      ),
    ]);
    expect(refused.lines[1]).toContain(other.scopeId);
    expect(await api.rows()).toHaveLength(1);

    const insisting = demo(...words, '--into-existing');
    await insisting.line(/collectors at work.* period is PT1H/);
    expect(await insisting.stop()).toBe(0);
    expect((await api.rows()).length).toBeGreaterThan(50);
    expect(await api.find(other)).toMatchObject({
      lastProcessedTimestamp: '2026-01-01T00:00:00Z',
      version: 1,
    });
  });

  test('says in one line that no server is there', async () => {
    const lost = demo('--url', 'http://127.0.0.1:9/graphql');
    expect(await lost.ended).toBe(1);
    expect(lost.lines.slice(1)).toEqual([
      expect.stringMatching(/^scopestate: .* gives no answer; start a server there/),
    ]);
  });
});
