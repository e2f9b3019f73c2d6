import type { Pool } from '../database/pool.js';
import type { Caller } from '../caller/caller.js';
import { unitKey, type CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import { longestQueueMillis } from '../database/deadlines.js';
import { LookAgain } from '../database/faults.js';
import { Line } from '../database/line.js';
import { PreparedStatements } from '../database/prepared-statements.js';
import { inTwoTrips, type Decision } from '../database/two-trips.js';
import type { Advance } from './advance.rules.js';
import { columnsOf, insert, lock, look, probe, update } from './locked-states.sql.js';
import { LockedStates } from './locked-states.rules.js';
import { fromStamp, toScopeState } from './row.sql.js';
import type { ScopeStateRow } from './row.sql.js';
import { unitParameters } from './unit-match.sql.js';
import { settle } from './settle.rules.js';
import type { ScopeState } from './scope-state.rules.js';

/** What one caller wants of one unit; `decide` may run anew, on new rows, when its decision came too late. */
export interface Item<Result extends HasState = HasState> {
  readonly unit: CollectionUnit;
  readonly caller: Caller;
  readonly decide: (states: LockedStates) => Result;
  /** what is asked, where that is an advance: the database may do it without `decide`, where it comes to ADVANCED */
  readonly advance?: Advance;
}

/**
 * What became of an item: decided and committed; or nothing was done, because somebody else has locked what it is about
 * (`locked`), or because another item of its scope id came first (`later`).
 */
export type Fate<Result extends HasState = HasState> =
  { readonly result: Result; readonly now: Temporal.Instant } | 'locked' | 'later';

export interface HasState {
  readonly state: ScopeState | undefined;
}

/** Transactions of many units may all wait for one row: they must not take the connections that others live on. */
const manyUnits = { atOnce: 6, mostWaiting: 1_000, longestWaitMillis: longestQueueMillis };

/** A row may be waited for briefly only: by the unique constraint, for who inserts the same unit just now. */
const briefWaitMillis = 50;

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
 *
 * A transaction for several callers does not wait in step 1: it skips what is locked (`probe`). A row that step 2 sees
 * and step 1 did not get takes the items of its scope id out; nobody is told that a row which is locked is not there.
 * Where each item has got the row of its own unit, which wins, there is nothing to look for in step 2.
 */
export class LockedStatesRepository {
  private readonly pool: Pool;
  private readonly statements: PreparedStatements;
  private readonly ofMany = new Line(manyUnits);

  constructor(pool: Pool, statements = new PreparedStatements()) {
    this.pool = pool;
    this.statements = statements;
  }

  /**
   * Decides on units, all or nothing; `decide` runs anew, on new rows, when its decision came too late. `first` is tried before,
   * when its turn has come: where it answers, that is it.
   */
  decide<Result extends HasState>(
    units: readonly CollectionUnit[],
    caller: Caller,
    decide: (states: LockedStates) => Result[],
    first?: () => Promise<{ results: Result[]; now: Temporal.Instant } | undefined>,
  ): Promise<{ results: Result[]; now: Temporal.Instant }> {
    return this.ofMany.pass(async () => (await first?.()) ?? this.decideAtOnce(units, caller, decide));
  }

  private decideAtOnce<Result extends HasState>(
    units: readonly CollectionUnit[],
    caller: Caller,
    decide: (states: LockedStates) => Result[],
  ): Promise<{ results: Result[]; now: Temporal.Instant }> {
    const parameters = unitParameters(units);
    return inTwoTrips(this.pool, {
      statements: this.statements,
      looks: [
        { ...lock, values: parameters },
        { ...look, values: parameters },
      ],
      decide: ([locked, looked]) => {
        const { states } = statesOf(locked!.rows as ProbedRow[], looked!.rows as LookedRow[]);
        states.actFor(caller);
        const results = decide(states);
        return Promise.resolve(
          writing(states, (written) => ({ results: settle(results, written), now: states.now })),
        );
      },
    });
  }

  /**
   * Decides on items of several callers, in one transaction; those of one scope id in the order given. Does not wait for
   * rows that somebody else has locked, unless it is to be `patient`.
   */
  decideEach<Result extends HasState>(
    items: readonly Item<Result>[],
    { patient }: { patient: boolean },
  ): Promise<Fate<Result>[]> {
    const parameters = unitParameters(items.map(({ unit }) => unit));
    const looking = { ...look, values: parameters };
    return inTwoTrips(this.pool, {
      statements: this.statements,
      looks: patient ? [{ ...lock, values: parameters }, looking] : [{ ...probe, values: parameters }],
      ...(!patient && { lockTimeoutMillis: briefWaitMillis, looksAtMost: 1 }),
      decide: async ([locked, looked], send) => {
        const rows = locked!.rows as ProbedRow[];
        const own = new Set(rows.map(unitKeyOfRow));
        const hasOwn = ({ unit }: Item<Result>) => own.has(unitKey(unit));
        const found = looked ?? (items.every(hasOwn) ? undefined : await send(looking));
        const { states, missed } = statesOf(rows, found?.rows as LookedRow[] | undefined, patient);
        const fates = items.map((item): Fate<Result> => {
          const { unit, caller } = item;
          if (missed.has(unit.scopeId) && !hasOwn(item)) return 'locked';
          if (states.isChangedByAnother(unit.scopeId, caller)) return 'later';
          states.actFor(caller);
          return { result: item.decide(states), now: states.now };
        });
        return writing(states, (written) => settleEach(fates, written));
      },
    });
  }
}

interface ProbedRow extends ScopeStateRow {
  now_stamp: string;
}

/** One row a candidate, or one with the clock only. */
interface LookedRow {
  id: number | null;
  identifier: string;
  now_stamp: string;
}

/**
 * The rows that were locked, and the scope ids of those that the look saw and the lock missed.
 *
 * @throws LookAgain when none may be missing
 */
function statesOf(rows: ProbedRow[], looked: LookedRow[] | undefined, complete = true) {
  const ids = new Set(rows.map((row) => row.id));
  const missed = (looked ?? []).filter(({ id }) => id !== null && !ids.has(id));
  if (complete && missed.length > 0) throw new LookAgain('a row came while others were being locked');
  const { now_stamp } = (looked ?? rows)[0]!;
  return {
    states: new LockedStates(rows.map(toScopeState), fromStamp(now_stamp)),
    missed: new Set(missed.map(({ identifier }) => identifier)),
  };
}

function unitKeyOfRow(row: ProbedRow): string {
  const { identifier: scopeId, scope_key: scopeKey, collector, fetcher } = row;
  return unitKey({ scopeId, scopeKey, collector, fetcher } as CollectionUnit);
}

function settleEach<Result extends HasState>(
  fates: Fate<Result>[],
  written: ReadonlyMap<ScopeState, ScopeState>,
): Fate<Result>[] {
  const decided = fates.filter((fate) => typeof fate === 'object');
  const results = settle(
    decided.map(({ result }) => result),
    written,
  ).values();
  return fates.map((fate) =>
    typeof fate === 'object' ? { result: results.next().value!, now: fate.now } : fate,
  );
}

/** The statements that write what was decided; they answer the ids and times that the database gave. */
function writing<T>(
  states: LockedStates,
  settled: (written: ReadonlyMap<ScopeState, ScopeState>) => T,
): Decision<T> {
  const changes = states.changes();
  const batches = [
    { statement: update, batch: changes.filter((change) => change.before !== undefined) },
    { statement: insert, batch: changes.filter((change) => change.before === undefined) },
  ].filter(({ batch }) => batch.length > 0);
  return {
    writes: batches.map(({ statement, batch }) => ({ ...statement, values: columnsOf(batch) })),
    settle: (answers) => {
      const written = new Map<ScopeState, ScopeState>();
      answers.forEach((answer, place) => {
        for (const row of answer.rows as Written[]) {
          const { after } = batches[place]!.batch[Number(row.place) - 1]!;
          written.set(after, asWritten(after, row));
        }
      });
      return settled(written);
    },
  };
}

interface Written {
  id: number;
  place: string;
  updated_stamp: string;
  toggled_stamp: string;
  advanced_stamp: string | null;
}

function asWritten(state: ScopeState, row: Written): ScopeState {
  return {
    ...state,
    id: row.id,
    updatedAt: fromStamp(row.updated_stamp),
    scopeActivationToggleDate: fromStamp(row.toggled_stamp),
    lastAdvancedAt: row.advanced_stamp === null ? null : fromStamp(row.advanced_stamp),
  };
}
