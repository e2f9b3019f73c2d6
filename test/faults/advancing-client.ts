import { Agent, request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from '../support/test-server.js';
import { unit } from '../support/units.js';

/** What came of one attempt to advance. `nothing`: not one byte of an answer, so that the attempt is made again. */
type Attempt = { outcome: string } | { code: string } | { nothing: string };

/** Like a collector between two attempts: not in a tight loop. */
const pauseMillis = 20;

const advance = `mutation ($input: AdvanceScopeStateInput!) { advanceScopeState(input: $input) { outcome } }`;

/** Advances one unit of its own, minute by minute, and moves to the next server when one answers nothing. */
export class AdvancingClient {
  readonly unit = unit();
  /** how far it was told that the unit is */
  acknowledged: string | null = null;
  steps = 0;
  readonly faults: string[] = [];
  /** how often it was told each error code, or nothing */
  readonly told = new Map<string, number>();
  longestMillis = 0;
  private readonly urls: URL[];
  private readonly agents: Agent[];
  private server: number;
  private stopped = false;
  private running: Promise<void> | undefined;

  constructor(urls: string[], first = 0) {
    this.urls = urls.map((url) => new URL(url));
    this.agents = urls.map(() => new Agent({ keepAlive: true, maxSockets: 1 }));
    this.server = first % urls.length;
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
    this.agents.forEach((agent) => agent.destroy());
  }

  /** An attempt that was told nothing, or UNAVAILABLE, was not done: else its repetition would find UNCHANGED. */
  private async run(): Promise<void> {
    const begin = Date.UTC(2026, 0, 1);
    while (!this.stopped) {
      const next = new Date(begin + this.steps * 60_000).toISOString().replace('.000Z', 'Z');
      let mayBeDone = false;
      for (;;) {
        const attempt = await this.attempt(next);
        if ('outcome' in attempt) {
          const wanted = this.acknowledged === null ? 'CREATED' : 'ADVANCED';
          if (attempt.outcome !== wanted && !(mayBeDone && attempt.outcome === 'UNCHANGED')) {
            this.faults.push(`${next}: ${attempt.outcome}; told before: ${JSON.stringify([...this.told])}`);
          }
          break;
        }
        const what = 'code' in attempt ? attempt.code : attempt.nothing;
        this.told.set(what, (this.told.get(what) ?? 0) + 1);
        if (what === 'OUTCOME_UNKNOWN') mayBeDone = true;
        if ('nothing' in attempt) this.server = (this.server + 1) % this.urls.length;
        await delay(pauseMillis);
      }
      this.acknowledged = next;
      this.steps++;
    }
  }

  private async attempt(lastProcessedTimestamp: string): Promise<Attempt> {
    const startedAt = performance.now();
    try {
      const response = await this.post({
        query: advance,
        variables: { input: { unit: this.unit, lastProcessedTimestamp, expected: this.acknowledged } },
      });
      if (!('failure' in response)) return this.read(response, await text(response));
      const { code = response.failure.message } = response.failure;
      return { nothing: code };
    } catch (error) {
      this.faults.push(`${lastProcessedTimestamp}: an answer that broke off: ${String(error)}`);
      return { nothing: 'BROKEN_OFF' };
    } finally {
      this.longestMillis = Math.max(this.longestMillis, performance.now() - startedAt);
    }
  }

  private read({ statusCode }: IncomingMessage, body: string): Attempt {
    const { data, errors } = JSON.parse(body) as Answer;
    const code = errors?.[0]?.extensions?.code;
    if (code !== undefined) return { code };
    const outcome: unknown = data?.['advanceScopeState']?.outcome;
    if (typeof outcome === 'string') return { outcome };
    this.faults.push(`status ${statusCode}: ${body}`);
    return { nothing: `STATUS_${statusCode}` };
  }

  /** Resolves with the answer's head, or with the error where there is none. */
  private post(body: unknown): Promise<IncomingMessage | { failure: NodeJS.ErrnoException }> {
    return new Promise((resolve) => {
      const sent = request(
        this.urls[this.server]!,
        {
          agent: this.agents[this.server],
          method: 'POST',
          headers: { 'content-type': 'application/json' },
        },
        resolve,
      );
      sent.on('error', (failure) => resolve({ failure }));
      sent.end(JSON.stringify(body));
    });
  }
}
