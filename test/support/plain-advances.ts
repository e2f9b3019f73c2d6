import type { ScopeState } from '../../src/scope-state/scope-state.rules.js';
import { afterAll, beforeAll } from '@jest/globals';
import pg from 'pg';
import type { CollectionUnit } from '../../src/collection-unit/collection-unit.rules.js';
import type { Advance } from '../../src/scope-state/advance.rules.js';
import { PlainAdvancesRepository } from '../../src/scope-state/plain-advances.repository.js';
import { ScopeStateRepository } from '../../src/scope-state/scope-state.repository.js';
import { createTestDatabase, type PostgresMajor, type TestDatabase } from './test-database.js';
import { unit } from './units.js';

export const caller = { caller: 'a test', requestId: 'a request' };
export const instant = (text: string) => Temporal.Instant.from(text);
/** What the rows are inserted with. */
export const stored = instant('2026-01-01T00:00:00.000001Z');

export const advancing = (one: CollectionUnit, at: string, expected?: Temporal.Instant): Advance => ({
  unit: one,
  lastProcessedTimestamp: instant(at),
  expected,
});

/** A database for the tests of one `describe`, and what asks it. */
export class PlainAdvances {
  declare database: TestDatabase;
  declare pool: pg.Pool;
  declare plain: PlainAdvancesRepository;
  declare states: ScopeStateRepository;

  async insert(
    { scopeId, scopeKey, collector, fetcher }: CollectionUnit,
    { active = true, moved = false, legacy = false } = {},
  ): Promise<void> {
    await this.database.query(
      `insert into cloudkitty_storage_states (identifier, scope_key, collector, fetcher, last_processed_timestamp, active, moved_by_operator)
       values ($1, $2, $3, $4, '2026-01-01T00:00:00.000001', $5, $6)`,
      [scopeId, ...(legacy ? [null, null, null] : [scopeKey, collector, fetcher]), active, moved],
    );
  }

  async inserted(count: number): Promise<CollectionUnit[]> {
    const units = Array.from({ length: count }, () => unit());
    for (const one of units) await this.insert(one);
    return units;
  }

  async stateOf(one: CollectionUnit) {
    return plainState((await this.states.find(one)).state);
  }

  statesOf(units: CollectionUnit[]) {
    return Promise.all(units.map((one) => this.stateOf(one)));
  }

  entriesOf({ scopeId }: CollectionUnit) {
    return this.database.query<Record<string, unknown>>(
      `select kind, actor, request_id, version, old_version, old_identifier, old_active,
         last_processed_timestamp::text as at, old_last_processed_timestamp::text as old_at,
         recorded_at = (select updated_at from cloudkitty_storage_states where id = state_id) as at_once
       from scopestate_history where identifier = $1 and kind <> 'EXTERNAL'`,
      [scopeId],
    );
  }

  advance(advances: Advance[]) {
    return this.plain.advance(advances.map((advance) => ({ advance, caller })));
  }

  advanceAll(advances: Advance[]) {
    return this.plain.advanceAll(advances, caller);
  }
}

export function usePlainAdvances(major: PostgresMajor): PlainAdvances {
  const used = new PlainAdvances();
  beforeAll(async () => {
    used.database = await createTestDatabase({ major });
    used.pool = new pg.Pool({ connectionString: used.database.url });
    used.pool.on('error', () => {});
    used.plain = new PlainAdvancesRepository(used.pool);
    used.states = new ScopeStateRepository(used.pool);
  });
  afterAll(async () => {
    await used.pool.end();
    await used.database.drop();
  });
  return used;
}

/** What getters answer, too: two states are equal when all of it is. */
export function plainState(state: ScopeState | undefined): ScopeState | undefined {
  if (!state) return undefined;
  const { id, scopeId, scopeKey, collector, fetcher, active, version, revision, movedByOperator } = state;
  const { lastProcessedTimestamp, scopeActivationToggleDate, lastAdvancedAt, updatedAt } = state;
  return {
    ...{ id, scopeId, scopeKey, collector, fetcher, active, version, revision, movedByOperator },
    ...{ lastProcessedTimestamp, scopeActivationToggleDate, lastAdvancedAt, updatedAt },
  };
}
