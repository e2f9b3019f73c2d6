import type { Pool, PoolClient } from '../database/pool.js';
import type { Caller } from '../caller/caller.js';
import type { CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import { LookAgain, tellsOfSharedSessions } from '../database/faults.js';
import { inTransaction } from '../database/transaction.js';
import { LockedStates, type Change } from './locked-states.rules.js';
import { asItWas, isOfAnotherUnit, record } from './record.sql.js';
import { micros, rowColumns, table, toInstant, toScopeState, toTimestamp, utcClock } from './row.sql.js';
import type { ScopeStateRow } from './row.sql.js';
import { idsOfCandidates, unitParameters } from './unit-match.sql.js';
import { settle } from './settle.rules.js';
import type { ScopeState } from './scope-state.rules.js';

interface Written {
  id: number;
  updated_micros: string;
  toggled_micros: string;
  advanced_micros: string | null;
}

/**
 * How a legacy row gets exactly one owner (DESIGN.md 2.1), in one transaction at READ COMMITTED:
 *
 *   1. lock   every row that the units' look-ups can find, in id order; wait for whoever holds one
 *   2. look   once more, with a new snapshot: a row that step 1 did not lock (inserted, or claimed for one of these units
 *             while step 1 waited) means that 1 saw too little: roll back, start again
 *   3. decide in memory, on rows that nobody else can change now
 *   4. write  claims and updates, then inserts; a unit that got a row meanwhile (unique violation) means start again
 *
 * Ids are locked in one order and units written in one order, so that batches can't deadlock.
 */
export class LockedStatesRepository {
  private readonly pool: Pool;
  /**
   * Ends the names of prepared statements, so that no other process gives a name another text. Undefined: a pooler that
   * shares sessions, and does not know of statements, stands before the database.
   */
  private names: string | undefined = crypto.randomUUID();

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /** Decides on units, all or nothing; `decide` runs anew, on new rows, when its decision came too late. */
  async decide<Result extends { readonly state: ScopeState | undefined }>(
    units: readonly CollectionUnit[],
    { caller, requestId }: Caller,
    decide: (states: LockedStates) => Result[],
  ): Promise<{ results: Result[]; now: Temporal.Instant }> {
    return inTransaction(this.pool, async (client) => {
      try {
        const states = await this.lock(client, units);
        const results = decide(states);
        const settled = await this.write(client, states.changes(), [caller, requestId]);
        return { results: settle(results, settled), now: states.now };
      } catch (error) {
        if (!tellsOfSharedSessions(error)) throw error;
        this.names = undefined;
        throw new LookAgain('a session does not know the statement that another one prepared');
      }
    });
  }

  private prepared(statement: { name: string; text: string }): { name?: string; text: string } {
    const { name, text } = statement;
    return this.names === undefined ? { text } : { name: `${name} ${this.names}`, text };
  }

  private async lock(client: PoolClient, units: readonly CollectionUnit[]): Promise<LockedStates> {
    const parameters = unitParameters(units);
    const locked = await client.query<ScopeStateRow>({
      ...this.prepared(lock),
      values: parameters,
    });
    const found = await client.query<{ ids: number[]; now_micros: string }>({
      ...this.prepared(look),
      values: parameters,
    });
    const { ids, now_micros } = found.rows[0]!;
    const lockedIds = new Set(locked.rows.map((row) => row.id));
    if (ids.some((id) => !lockedIds.has(id)))
      throw new LookAgain('a row came while others were being locked');
    return new LockedStates(locked.rows.map(toScopeState), toInstant(now_micros));
  }

  /** What was written, with the ids and times that the database gave. */
  private async write(
    client: PoolClient,
    changes: Change[],
    author: string[],
  ): Promise<Map<ScopeState, ScopeState>> {
    const updates = changes.filter((change) => change.before !== undefined);
    const inserts = changes.filter((change) => change.before === undefined);
    const written = new Map<ScopeState, ScopeState>();
    for (const [batch, statement] of [[updates, update] as const, [inserts, insert] as const]) {
      if (batch.length === 0) continue;
      const { rows } = await client.query<Written & { place: string }>({
        ...this.prepared(statement),
        values: [...columnsOf(batch), ...author],
      });
      if (rows.length < batch.length) throw new LookAgain('a unit got its row from somebody else meanwhile');
      for (const row of rows) {
        const { after } = batch[Number(row.place) - 1]!;
        written.set(after, {
          ...after,
          id: row.id,
          updatedAt: toInstant(row.updated_micros),
          scopeActivationToggleDate: toInstant(row.toggled_micros),
          lastAdvancedAt: row.advanced_micros === null ? null : toInstant(row.advanced_micros),
        });
      }
    }
    return written;
  }
}

const lock = {
  name: 'LockedStates.lock',
  text: `/* LockedStates.lock */ select ${rowColumns('s')} from ${table} s
         where s.id in (${idsOfCandidates}) order by s.id for update of s`,
};

const look = {
  name: 'LockedStates.look',
  text: `/* LockedStates.look */ select array(${idsOfCandidates}) as ids, ${micros(utcClock)} as now_micros`,
};

/** One array a column, for `changesGiven`. */
function columnsOf(changes: Change[]): unknown[] {
  const rows = changes.map(({ after }) => after);
  return [
    rows.map((row) => row.id),
    rows.map((row) => row.scopeId),
    rows.map((row) => row.scopeKey),
    rows.map((row) => row.collector),
    rows.map((row) => row.fetcher),
    rows.map((row) => toTimestamp(row.lastProcessedTimestamp)),
    rows.map((row) => row.active),
    rows.map((row) => row.version),
    rows.map((row) => row.revision),
    rows.map((row) => row.movedByOperator),
    changes.map((change) => change.advanced),
  ];
}

const changesGiven = `
  unnest(
    $1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamp(6)[],
    $7::boolean[], $8::int[], $9::int[], $10::boolean[], $11::boolean[]
  ) with ordinality as given (
    id, identifier, scope_key, collector, fetcher, last_processed_timestamp,
    active, version, revision, moved_by_operator, advanced, place
  )`;

const returning = `
  ${micros('s.updated_at')} as updated_micros,
  ${micros('s.scope_activation_toggle_date')} as toggled_micros,
  ${micros('s.last_advanced_at')} as advanced_micros`;

/** Parameters that stand for who changes the states, behind those of `columnsOf`. */
const author = ['$12::text', '$13::text'];

/** A change that only acknowledges an operator's move leaves version and write time as they are. */
const update = {
  name: 'LockedStates.update',
  text: `/* LockedStates.update */
    with changed as (
      update ${table} s set
        scope_key = given.scope_key,
        collector = given.collector,
        fetcher = given.fetcher,
        last_processed_timestamp = given.last_processed_timestamp,
        moved_by_operator = given.moved_by_operator,
        version = given.version,
        revision = given.revision,
        updated_at = case when given.version > s.version then clock.now else s.updated_at end,
        last_advanced_at = case when given.advanced then clock.now else s.last_advanced_at end
      from ${changesGiven}, ${table} o, (select ${utcClock} as now) clock
      where s.id = given.id and o.id = given.id
      returning s.*, given.place, ${asItWas}
    ), recorded as (
      ${record({ changed: 'changed', what: 'updated', kind: `case when ${isOfAnotherUnit} then 'BACKFILLED' else 'ADVANCED' end` }, author)}
    )
    select s.id, s.place, ${returning} from changed s`,
};

const insert = {
  name: 'LockedStates.insert',
  text: `/* LockedStates.insert */
    with given as materialized (
      select given.*, clock.now from ${changesGiven}, (select ${utcClock} as now) clock
    ), s as (
      insert into ${table} (
        identifier, scope_key, collector, fetcher, last_processed_timestamp, scope_activation_toggle_date,
        active, version, revision, moved_by_operator, updated_at, last_advanced_at
      )
      select
        identifier, scope_key, collector, fetcher, last_processed_timestamp, now,
        active, version, revision, moved_by_operator, now, case when advanced then now end
      from given order by place
      on conflict do nothing
      returning *
    ), recorded as (
      ${record({ changed: 's', what: 'created', kind: `'CREATED'` }, author)}
    )
    select s.id, given.place, ${returning} from s join given using (identifier, scope_key, collector, fetcher)`,
};
