import { afterAll, beforeAll, expect } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startServer, type Answer, type TestServer } from '../support/test-server.js';
import { unit } from '../support/units.js';
import { openSqlStateSpy, type SqlStateSpy } from './sql-state-spy.js';

/** Codes of an answer to which the service, not the request, is at fault: DESIGN.md, chapter 3. */
const requestCodes = [
  'BAD_USER_INPUT',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'RATE_LIMITED',
];

/** No error quotes more of what it was sent. */
export const longestMessage = 1_001;

/** What nobody outside may see: stack traces, files, statements, tables. */
const insides =
  /\n\s+at |node_modules|file:\/\/|\/(?:dist|src)\/|\/\* \w+\.\w+ \*\/|cloudkitty_storage_states|scopestate_server/;

/** A server that is attacked, and what is looked at afterwards: that nothing broke inside, and that it still works. */
export class AttackedServer {
  database!: TestDatabase;
  spy!: SqlStateSpy;
  server!: TestServer;

  async start(settings: Record<string, string> = {}): Promise<void> {
    this.database = await createTestDatabase();
    this.spy = await openSqlStateSpy(this.database.url);
    this.server = await startServer({ DATABASE_URL: this.spy.url, ...settings });
  }

  /** Stops it after it has shown that it is well: a check and an advance, no broken line in its log, no error in the database. */
  async stop(): Promise<void> {
    try {
      await this.expectWell();
    } finally {
      expect(await this.server.stop()).toBe(0);
      await this.spy.close();
      await this.database.drop();
    }
  }

  private async expectWell(): Promise<void> {
    const asked = unit();
    const { advanceScopeState } = await this.server.data(
      `mutation ($unit: CollectionUnitInput!) {
         checkScopeState(input: { unit: $unit }) { outcome }
         advanceScopeState(input: { unit: $unit, lastProcessedTimestamp: "2026-01-01T00:00:00Z" }) { outcome }
       }`,
      { unit: asked },
    );
    expect(advanceScopeState).toEqual({ outcome: 'CREATED' });
    expect((await fetch(new URL('/readyz', this.server.url))).status).toBe(200);
    expect(this.spy.states.filter((state) => /^(22|08)/.test(state))).toEqual([]);
    for (const line of this.server.logLines) {
      expect(line).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
      expect(JSON.parse(line)).not.toMatchObject({ event: 'internal-error' });
    }
  }

  /** What comes back for one request, with what all answers have in common looked at. */
  async strike(
    query: string,
    variables: unknown = {},
    more: { operationName?: unknown; extensions?: unknown } = {},
  ): Promise<Answer & { status: number }> {
    return this.strikeWith({
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables, ...more }),
    });
  }

  async strikeWith(request: RequestInit, path = '/graphql'): Promise<Answer & { status: number }> {
    const startedAt = performance.now();
    const response = await fetch(new URL(path, this.server.url), request);
    const text = await response.text();
    expect(performance.now() - startedAt).toBeLessThan(slowestMillis);
    expect(response.status).toBeLessThan(500);
    expect(text).not.toMatch(insides);
    const answer = JSON.parse(text) as Answer;
    expectClean(answer, response.headers.get('x-request-id'));
    return { ...answer, status: response.status };
  }
}

/** Nothing depends on how fast this machine is; an answer that takes longer never comes, or its cost grows without bound. */
const slowestMillis = Number(process.env['TEST_SCALE'] ?? '0.1') >= 1 ? 1_000 : 10_000;

/** Every error has a message, a code that a request can be at fault for, and the request's id. */
export function expectClean({ errors }: Answer, requestId: string | null): void {
  for (const error of errors ?? []) {
    expect(
      Object.keys(error).filter((key) => !['message', 'path', 'locations', 'extensions'].includes(key)),
    ).toEqual([]);
    expect(error.message).not.toBe('');
    expect(error.message.isWellFormed()).toBe(true);
    expect(requestCodes).toContain(error.extensions.code);
    expect(error.extensions.requestId).toBe(requestId);
  }
}

/** Registers a server for the tests of a file. */
export function useAttackedServer(settings?: Record<string, string>): AttackedServer {
  const attacked = new AttackedServer();
  beforeAll(() => attacked.start(settings));
  afterAll(() => attacked.stop());
  return attacked;
}
