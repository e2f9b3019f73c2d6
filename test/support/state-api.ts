import { afterAll, beforeAll } from '@jest/globals';
import type { TestDatabase } from './test-database.js';
import { startServer, type Answer, type TestServer } from './test-server.js';
import type { Unit } from './units.js';

/** What a row says; how far it is behind changes with every look, and is asked for by the tests of just that. */
export const stateFields = /* GraphQL */ `
  fragment State on ScopeState {
    id
    scopeId
    scopeKey
    collector
    fetcher
    legacy
    lastProcessedTimestamp
    active
    scopeActivationToggleDate
    lastAdvancedAt
    updatedAt
    version
    coveredUntil
  }
`;

export const operations = {
  check: `mutation ($input: CheckScopeStateInput!) {
    checkScopeState(input: $input) { outcome scopeState { ...State } nextPeriod { start end } }
  } ${stateFields}`,
  checkAll: `mutation ($input: CheckScopeStatesInput!) {
    checkScopeStates(input: $input) { results { outcome scopeState { ...State } nextPeriod { start end } } }
  } ${stateFields}`,
  advance: `mutation ($input: AdvanceScopeStateInput!) {
    advanceScopeState(input: $input) { outcome backfilled scopeState { ...State } }
  } ${stateFields}`,
  advanceAll: `mutation ($input: AdvanceScopeStatesInput!) {
    advanceScopeStates(input: $input) { results { outcome backfilled scopeState { ...State } } }
  } ${stateFields}`,
  create: `mutation ($input: CreateScopeStateInput!) {
    createScopeState(input: $input) { outcome scopeState { ...State } }
  } ${stateFields}`,
  rekey: `mutation ($input: RekeyScopeStateInput!) {
    rekeyScopeState(input: $input) { outcome scopeState { ...State } }
  } ${stateFields}`,
  reset: `mutation ($input: ResetScopeStatesInput!) {
    resetScopeStates(input: $input) { outcome changed planToken }
  }`,
  find: `query ($unit: CollectionUnitInput!) { scopeState(unit: $unit) { ...State } } ${stateFields}`,
  page: `query ($filter: ScopeStateFilter, $first: Int, $last: Int) {
    scopeStates(filter: $filter, first: $first, last: $last) { totalCount nodes { ...State } }
  } ${stateFields}`,
  node: `query ($id: ID!) { node(id: $id) { ...State } } ${stateFields}`,
};

export interface AdvanceInput {
  unit: Unit;
  lastProcessedTimestamp: string;
  expected?: string | null;
}

/** What one item of a batch came to. */
export interface Result {
  outcome: string;
  backfilled?: boolean;
  scopeState: any;
}

/** A row as another writer of the table would insert it. */
export interface RowWanted {
  identifier: string;
  at: string;
  scopeKey?: string | null;
  collector?: string | null;
  fetcher?: string | null;
  active?: boolean;
}

/** A row byte for byte, and the transaction that wrote it last: equal only if nobody touched it. */
export interface RowSeen {
  id: number;
  xmin: string;
  text: string;
}

/** A database and a server process for the tests of one describe block, and the words they use. */
export class StateApi {
  database!: TestDatabase;
  server!: TestServer;

  readonly check = async (unit: Unit) =>
    (await this.server.data(operations.check, { input: { unit } })).checkScopeState;

  readonly checkAll = async (units: Unit[]): Promise<Result[]> =>
    (await this.server.data(operations.checkAll, { input: { units } })).checkScopeStates.results;

  readonly advance = async (input: AdvanceInput) =>
    (await this.server.data(operations.advance, { input })).advanceScopeState;

  readonly advanceAll = async (advances: AdvanceInput[]): Promise<Result[]> =>
    (await this.server.data(operations.advanceAll, { input: { advances } })).advanceScopeStates.results;

  readonly create = async (input: { unit: Unit; lastProcessedTimestamp: string; active?: boolean }) =>
    (await this.server.data(operations.create, { input })).createScopeState;

  readonly find = async (unit: Unit) => (await this.server.data(operations.find, { unit })).scopeState;

  readonly nodesOf = async (filter: Record<string, unknown>): Promise<any[]> =>
    (await this.server.data(operations.page, { filter, first: 1000 })).scopeStates.nodes;

  readonly node = async (id: string) => (await this.server.data(operations.node, { id })).node;

  /** plans a reset of one state and applies it */
  async reset(id: string, lastProcessedTimestamp: string): Promise<void> {
    const input = { select: { ids: [id] }, lastProcessedTimestamp, reason: 'a test' };
    const { resetScopeStates: plan } = await this.server.data(operations.reset, { input });
    const { planToken } = plan;
    const { resetScopeStates: done } = await this.server.data(operations.reset, {
      input: { ...input, planToken },
    });
    if (done.outcome !== 'APPLIED' || done.changed !== 1) throw new Error(JSON.stringify(done));
  }

  async insert(row: RowWanted): Promise<void> {
    const { identifier, at, scopeKey = null, collector = null, fetcher = null, active = true } = row;
    await this.database.query(
      `insert into cloudkitty_storage_states
         (identifier, scope_key, collector, fetcher, last_processed_timestamp, active)
       values ($1, $2, $3, $4, $5::text::timestamp, $6)`,
      [identifier, scopeKey, collector, fetcher, at.replace('T', ' ').replace('Z', ''), active],
    );
  }

  insertExact(unit: Unit, at: string, more: Partial<RowWanted> = {}): Promise<void> {
    const { scopeId, ...parts } = unit;
    return this.insert({ identifier: scopeId, ...parts, at, ...more });
  }

  insertLegacy(scopeId: string, at: string, more: Partial<RowWanted> = {}): Promise<void> {
    return this.insert({ identifier: scopeId, at, ...more });
  }

  /** the rows of a scope id, or all there are, in the order of their ids */
  rows(scopeId?: string): Promise<RowSeen[]> {
    return this.database.query<RowSeen & Record<string, unknown>>(
      `select id, xmin::text, s::text as text from cloudkitty_storage_states s
       where $1::text is null or identifier = $1::text order by id`,
      [scopeId ?? null],
    );
  }

  /** the database's clock */
  async clock(): Promise<Temporal.Instant> {
    const [row] = await this.database.query<{ micros: string }>(
      'select (extract(epoch from clock_timestamp()) * 1000000)::bigint as micros',
    );
    return Temporal.Instant.fromEpochNanoseconds(BigInt(row!.micros) * 1000n);
  }

  /** a request as it goes over the wire, for what `ask` can't send or shows nothing of */
  async post(body: string | Uint8Array<ArrayBuffer>, contentType = 'application/json') {
    const response = await fetch(this.server.url, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body,
    });
    return {
      status: response.status,
      requestId: response.headers.get('x-request-id'),
      answer: (await response.json()) as Answer,
    };
  }
}

/** Registers the start before the tests of the block that it is called in, and the end after them. */
export function useStateApi(
  create: () => Promise<TestDatabase>,
  settings: Record<string, string> = {},
): StateApi {
  const api = new StateApi();
  beforeAll(async () => {
    api.database = await create();
    api.server = await startServer({ DATABASE_URL: api.database.url, ...settings });
  });
  afterAll(async () => {
    await api.server.stop();
    await api.database.drop();
  });
  return api;
}
