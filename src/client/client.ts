/**
 * A client of scopestate: batches, retries and timeouts over `fetch`, with types made from the schema. Instants are
 * strings, as the API has them: a `Date` would lose the microseconds. `Temporal.Instant.from(text)` keeps them.
 */
import { randomUUID } from 'node:crypto';
import { batchesOf } from './batches.js';
import { exchange } from './exchange.js';
import {
  documents,
  type AdvanceResult,
  type CheckResult,
  type CreateResult,
  type ScopeState,
} from './operations.js';
import { retryDefaults, withRetries, type Answered, type RetryOptions } from './retry.js';
import type * as schema from './schema-types.js';
import { inCallersPlaces } from './scopestate-error.js';

export type { AdvanceResult, CheckResult, CreateResult, ScopeState } from './operations.js';
export type { RetryOptions } from './retry.js';
export { ScopestateError, type ErrorCode } from './scopestate-error.js';
export type * as schema from './schema-types.js';
export type {
  AdvanceOutcome,
  AdvanceScopeStateInput,
  CheckOutcome,
  CollectionUnitInput,
  CreateOutcome,
  CreateScopeStateInput,
  Period,
  ScopeStateFilter,
  ScopeStateOrder,
} from './schema-types.js';

/** Where the server is, and how patient to be with it. */
export interface ClientOptions {
  /** of the GraphQL endpoint, such as `http://localhost:4000/graphql` */
  readonly url: string | URL;
  /** for one attempt, from the connection to the answer's last byte; 30,000 unless told */
  readonly timeoutMillis?: number | undefined;
  /** what is not given is as {@link RetryOptions} says */
  readonly retry?: Partial<RetryOptions> | undefined;
  /** sent as `Authorization: Bearer …`; a function is asked before each attempt, for tokens that expire */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /** instead of Node's own `fetch` */
  readonly fetch?: typeof fetch | undefined;
}

/** Of one call. */
export interface CallOptions {
  /** ends the call, a wait between attempts too; it then throws the signal's reason */
  readonly signal?: AbortSignal | undefined;
}

/** Of a raw request. */
export interface RequestOptions extends CallOptions {
  readonly variables?: Record<string, unknown> | undefined;
  /** Whether it may be done twice, as any query may: then it is sent again after a lost answer too. False unless told. */
  readonly repeatable?: boolean | undefined;
}

/** Of a listing. */
export interface ListOptions extends CallOptions {
  /** by scope id, ascending, unless told; among states that move, only that order shows each of them exactly once */
  readonly orderBy?: schema.ScopeStateOrder | undefined;
  /** states in one request: 1 to 1,000; 500 unless told */
  readonly pageSize?: number | undefined;
}

/**
 * Every method throws {@link ScopestateError} when the server can't be reached within the bounds of `retry`, or refuses
 * the request; what a caller must decide on is an `outcome` instead.
 */
export interface Client {
  /**
   * Looks a unit's state up, and takes its scope id's legacy state over if it has none of its own. Sent again after a lost
   * answer: a `BACKFILLED` that was lost says `FOUND`.
   */
  check(unit: schema.CollectionUnitInput, options?: CallOptions): Promise<CheckResult>;
  /**
   * Checks many units, 500 in one transaction, one after the other; results in the order given. After an error, units
   * of earlier batches have been checked: checking them all again does no harm.
   */
  checkMany(units: readonly schema.CollectionUnitInput[], options?: CallOptions): Promise<CheckResult[]>;
  /**
   * Says that a unit has been rated up to and including the period that starts at `lastProcessedTimestamp`. Give
   * `expected`: the timestamp that was checked, null for an unknown unit. Sent again after a lost answer: an advance that
   * was done says `UNCHANGED`.
   */
  advance(advance: schema.AdvanceScopeStateInput, options?: CallOptions): Promise<AdvanceResult>;
  /**
   * Advances many units, at most 500 in one transaction, one after the other; results in the order given. Items of one
   * scope id act in the order given, and items of one unit go into batches of their own, so that a lost answer leaves no
   * doubt. After an error, earlier batches may have been done: check again before you go on.
   */
  advanceMany(
    advances: readonly schema.AdvanceScopeStateInput[],
    options?: CallOptions,
  ): Promise<AdvanceResult[]>;
  /**
   * Gives a unit its first state. Sent again after a lost answer: then `ALREADY_EXISTS` may be this call's own work, which
   * `answerLost` tells, and `scopeState` shows what is there.
   */
  create(creation: schema.CreateScopeStateInput, options?: CallOptions): Promise<CreateResult>;
  /** The state that a check of the unit would answer, or null; changes nothing. */
  scopeState(unit: schema.CollectionUnitInput, options?: CallOptions): Promise<ScopeState | null>;
  /** All states that the filter matches, fetched page by page as they are asked for; without one, all there are. */
  scopeStates(
    filter?: schema.ScopeStateFilter | null,
    options?: ListOptions,
  ): AsyncGenerator<ScopeState, void, undefined>;
  /**
   * Any operation: `request<Pick<schema.Query, 'node'>>('query ($id: ID!) { … }', { variables: { id } })`. The type says
   * what the document asks for; nothing compares the two. Without `repeatable` it is sent again only when nothing was
   * done.
   */
  request<Data>(document: string, options?: RequestOptions): Promise<Data>;
}

/** Makes a client. It holds no connection of its own: there is nothing to close. */
export function createClient(options: ClientOptions): Client {
  const url = new URL(options.url).href;
  const { timeoutMillis = 30_000, token } = options;
  const retry = { ...retryDefaults, ...options.retry };

  function send(
    document: string,
    { variables, repeatable = false, signal }: RequestOptions,
  ): Promise<Answered> {
    const body = JSON.stringify({ query: document, variables });
    const call = randomUUID();
    return withRetries(
      async (attempt) =>
        exchange({
          url,
          body,
          token: typeof token === 'function' ? await token() : token,
          requestId: `${call}.${attempt}`,
          timeoutMillis,
          signal,
          fetch: options.fetch ?? fetch,
        }),
      { retry, repeatable, signal },
    );
  }

  async function request<Data>(document: string, how: RequestOptions = {}): Promise<Data> {
    return (await send(document, how)).data as Data;
  }

  /** Batch by batch: a later one must not overtake an earlier one that has to be sent again. */
  async function inBatches<Item, Result>(
    items: readonly Item[],
    batches: number[][],
    sendBatch: (batch: Item[]) => Promise<readonly Result[]>,
  ): Promise<Result[]> {
    const results: Result[] = [];
    for (const places of batches) {
      const answered = await sendBatch(places.map((place) => items[place]!)).catch((error: unknown) => {
        throw inCallersPlaces(error, places);
      });
      places.forEach((place, index) => (results[place] = answered[index]!));
    }
    return results;
  }

  const client: Client = {
    check: async (unit, how) => (await client.checkMany([unit], how))[0]!,

    checkMany: (units, how) =>
      inBatches(units, batchesOf(units, { unitOnce: false }), async (batch) => {
        const data = await request<{ checkScopeStates: { results: CheckResult[] } }>(documents.check, {
          ...how,
          variables: { input: { units: batch } },
          repeatable: true,
        });
        return data.checkScopeStates.results;
      }),

    advance: async (advance, how) => (await client.advanceMany([advance], how))[0]!,

    advanceMany: (advances, how) => {
      const units = advances.map(({ unit }) => unit);
      return inBatches(advances, batchesOf(units, { unitOnce: true }), async (batch) => {
        const data = await request<{ advanceScopeStates: { results: AdvanceResult[] } }>(documents.advance, {
          ...how,
          variables: { input: { advances: batch } },
          repeatable: true,
        });
        return data.advanceScopeStates.results;
      });
    },

    create: async (creation, how) => {
      const { data, answerLost } = await send(documents.create, {
        ...how,
        variables: { input: creation },
        repeatable: true,
      });
      return { ...(data as { createScopeState: CreateResult }).createScopeState, answerLost };
    },

    scopeState: async (unit, how) => {
      const asked = { ...how, variables: { unit }, repeatable: true };
      return (await request<{ scopeState: ScopeState | null }>(documents.find, asked)).scopeState;
    },

    scopeStates: async function* (filter = null, { orderBy, pageSize: first = 500, signal } = {}) {
      let after: string | null = null;
      do {
        const variables = { filter, orderBy, first, after };
        const data: Page = await request<Page>(documents.page, { variables, repeatable: true, signal });
        const { nodes, pageInfo } = data.scopeStates;
        yield* nodes;
        after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
      } while (after !== null);
    },

    request,
  };
  return client;
}

interface Page {
  readonly scopeStates: {
    readonly nodes: readonly ScopeState[];
    readonly pageInfo: Pick<schema.PageInfo, 'hasNextPage' | 'endCursor'>;
  };
}
