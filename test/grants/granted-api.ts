import { afterAll, beforeAll } from '@jest/globals';
import { join } from 'node:path';
import { graphql, parse, subscribe, type ExecutionResult, type GraphQLSchema } from 'graphql';
import { createErrorFormat } from '../../src/api/error-format.js';
import { inRequest } from '../../src/api/request-scope.js';
import { createSchema } from '../../src/api/schema.js';
import type { CallContext } from '../../src/caller/caller.js';
import { allUnits, type Grant, type Grants } from '../../src/caller/grant.rules.js';
import { readConfig } from '../../src/config.js';
import { openDatabase, type Database } from '../../src/database/database.js';
import { openLive, type Live } from '../../src/live/live.js';
import { createLog } from '../../src/log.js';
import { createResolvers } from '../../src/resolvers.js';
import { ScopeStateEntity } from '../../src/scope-state/scope-state.entity.js';
import { selectorName } from '../../src/scope-state/selector.graphql.js';
import { operations } from '../support/state-api.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import type { Unit } from '../support/units.js';

/** All patterns are `*` but the given ones. */
export function grant(patterns: Partial<Grant>): Grant {
  return { ...allUnits[0]!, ...patterns };
}

export const hour = (n: number) => new Date(Date.UTC(2026, 0, 1, n)).toISOString().replace('.000', '');

/** What a caller with some grants says and is told: the schema itself, on a real database, without HTTP. */
export class GrantedCaller {
  private readonly schema: GraphQLSchema;
  private readonly context: CallContext;

  constructor(schema: GraphQLSchema, grants: Grants) {
    this.schema = schema;
    this.context = { caller: { caller: 'test', requestId: 'request' }, role: 'admin', grants };
  }

  /** the whole answer, with errors in the form that they have over HTTP */
  async ask(source: string, variableValues: Record<string, unknown> = {}): Promise<any> {
    const answer = await graphql({
      schema: this.schema,
      source,
      contextValue: this.context,
      variableValues,
    });
    return formed(answer);
  }

  /** the answer's data; throws when there is an error */
  async data(source: string, variables: Record<string, unknown> = {}): Promise<any> {
    const { data, errors } = await this.ask(source, variables);
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  }

  /** Collects the events of a subscription until `stop`. */
  async subscribe(source: string, variableValues: Record<string, unknown> = {}) {
    const stream = await subscribe({
      schema: this.schema,
      document: parse(source),
      contextValue: this.context,
      variableValues,
    });
    if (!(Symbol.asyncIterator in stream)) throw new Error(JSON.stringify(stream));
    return stream as AsyncGenerator<ExecutionResult<any>, void, void>;
  }

  readonly advance = async (unit: Unit, lastProcessedTimestamp: string): Promise<any> =>
    (await this.data(operations.advance, { input: { unit, lastProcessedTimestamp } })).advanceScopeState;

  readonly find = async (unit: Unit): Promise<any> => (await this.data(operations.find, { unit })).scopeState;

  readonly rekey = async (id: string, unit: Unit, reason = 'a test'): Promise<any> =>
    (await this.data(operations.rekey, { input: { id, unit, reason } })).rekeyScopeState;
}

function formed({ data, errors }: ExecutionResult): unknown {
  const format = createErrorFormat(createLog('silent'));
  const shaped = errors?.map((error) => inRequest('request', () => format(error.toJSON(), error)));
  return JSON.parse(JSON.stringify({ ...(shaped && { errors: shaped }), data }));
}

export class GrantedApi {
  database!: TestDatabase;
  opened!: Database;
  schema!: GraphQLSchema;
  live!: Live;

  as(...grants: Partial<Grant>[]): GrantedCaller {
    return new GrantedCaller(this.schema, grants.map(grant));
  }

  /** whoever is granted everything */
  get admin(): GrantedCaller {
    return new GrantedCaller(this.schema, allUnits);
  }

  /** a row from before collection units existed, as CloudKitty wrote it */
  async insertLegacy(scopeId: string): Promise<string> {
    const [row] = await this.database.query<{ id: number }>(
      `insert into cloudkitty_storage_states (identifier, last_processed_timestamp)
       values ($1, '2026-01-01 00:00:00') returning id`,
      [scopeId],
    );
    return Buffer.from(`ScopeState:${row!.id}`).toString('base64url');
  }
}

/** Registers the start before the tests of the block that it is called in, and the end after them. */
export function useGrantedApi(): GrantedApi {
  const api = new GrantedApi();
  beforeAll(async () => {
    const log = createLog('silent');
    api.database = await createTestDatabase();
    api.opened = await openDatabase({
      url: api.database.url,
      entities: [ScopeStateEntity],
      migrationsFolder: join(process.cwd(), 'dist/migrations'),
      log,
    });
    api.live = openLive(api.opened, log);
    api.schema = await createSchema({
      resolvers: createResolvers(api.opened.pool, readConfig({}), log),
      oneOf: [selectorName],
      streams: api.live.streams,
    });
  });
  afterAll(async () => {
    await api.live.stop();
    await api.opened.close();
    await api.database.drop();
  });
  return api;
}
