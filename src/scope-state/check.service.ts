import type { Caller, CallContext } from '../caller/caller.js';
import { checkUnit, type CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import type { Decisions } from './decisions.repository.js';
import { grantedItems } from './forbidden.rules.js';
import type { LockedStatesRepository } from './locked-states.repository.js';
import type { Checked, CheckOutcome, LockedStates } from './locked-states.rules.js';
import type { LookUps } from './look-ups.repository.js';
import { firstPeriod, nextPeriod, type Period, type Schedule } from './schedule.rules.js';
import type { FoundEach, ScopeStateRepository } from './scope-state.repository.js';
import { isLegacy } from './scope-state.rules.js';
import { checkCount } from './selection.rules.js';

/** What a check came to, and what its unit has to rate next. */
export interface CheckedUnit extends Omit<Checked, 'outcome'> {
  readonly outcome: CheckOutcome | 'FORBIDDEN';
  readonly nextPeriod: Period | null;
}

const forbidden: CheckedUnit = { outcome: 'FORBIDDEN', state: undefined, nextPeriod: null };

interface CheckedUnits {
  results: Checked[];
  now: Temporal.Instant;
}

export interface CheckSources {
  readonly states: ScopeStateRepository;
  readonly locked: LockedStatesRepository;
  readonly lookUps: LookUps;
  readonly decisions: Decisions;
}

export class CheckService {
  private readonly states: ScopeStateRepository;
  private readonly locked: LockedStatesRepository;
  private readonly lookUps: LookUps;
  private readonly decisions: Decisions;
  private readonly schedule: Schedule;

  constructor(from: CheckSources, schedule: Schedule) {
    this.states = from.states;
    this.locked = from.locked;
    this.lookUps = from.lookUps;
    this.decisions = from.decisions;
    this.schedule = schedule;
  }

  /**
   * DESIGN.md 2.1 for each unit that is granted, in the order given; all or nothing. A batch that finds all its rows writes
   * nothing.
   */
  async check(
    units: CollectionUnit[],
    fieldOf: (place: number) => string,
    { caller, grants }: CallContext,
  ): Promise<{ results: CheckedUnit[]; now: Temporal.Instant }> {
    checkCount(units, 'input.units');
    units.forEach((unit, place) => checkUnit(unit, fieldOf(place)));
    const { granted, place } = grantedItems(units, (unit) => unit, grants);
    const [only, ...others] = granted;
    const { results, now } = await (only && others.length === 0
      ? this.checkOne(only, caller)
      : this.checkMany(granted, caller));
    const periodOf = ({ state }: Checked) =>
      state ? nextPeriod(state, now, this.schedule) : firstPeriod(now, this.schedule);
    const checked = results.map((result): CheckedUnit => ({ ...result, nextPeriod: periodOf(result) }));
    return { results: place(checked, forbidden), now };
  }

  /** Shares its statements with what other callers ask. */
  private async checkOne(unit: CollectionUnit, caller: Caller): Promise<CheckedUnits> {
    const { state, now } = await this.lookUps.find(unit);
    const found = foundAll({ states: [state], now });
    if (found) return found;
    const decide = (states: LockedStates) => states.check(unit);
    const decided = await this.decisions.decide({ unit, caller, decide });
    return { results: [decided.result], now: decided.now };
  }

  private checkMany(units: CollectionUnit[], caller: Caller): Promise<CheckedUnits> {
    return this.locked.decide(
      units,
      caller,
      (states) => units.map((unit) => states.check(unit)),
      async () => foundAll(await this.states.findEach(units)),
    );
  }
}

/** Without a lock, for the usual case: every unit has a row of its own, and none of them was moved by an operator. */
function foundAll({ states, now }: FoundEach): CheckedUnits | undefined {
  const results: Checked[] = [];
  for (const state of states) {
    if (state === undefined || isLegacy(state) || state.movedByOperator) return undefined;
    results.push({ outcome: 'FOUND', state });
  }
  return { results, now };
}
