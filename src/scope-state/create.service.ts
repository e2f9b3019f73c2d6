import type { CallContext } from '../caller/caller.js';
import { cover } from '../caller/grant.rules.js';
import { checkUnit, type CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import { isLater } from './advance.rules.js';
import type { Decisions } from './decisions.repository.js';
import type { LockedStates } from './locked-states.rules.js';
import type { ScopeState } from './scope-state.rules.js';

export type CreateOutcome = 'CREATED' | 'ALREADY_EXISTS' | 'IN_FUTURE' | 'FORBIDDEN';

export interface Created {
  readonly outcome: CreateOutcome;
  readonly state: ScopeState | undefined;
}

/** Nobody looks what there is of the unit, and so there is no time of the looking. */
const forbidden: Created & { now?: Temporal.Instant } = { outcome: 'FORBIDDEN', state: undefined };

export class CreateService {
  private readonly decisions: Decisions;

  constructor(decisions: Decisions) {
    this.decisions = decisions;
  }

  /** Inserts a unit's row. A row of its own stands in the way, whatever it says; a legacy row of its scope id does not. */
  async create(
    unit: CollectionUnit,
    lastProcessedTimestamp: Temporal.Instant,
    active: boolean,
    field: string,
    { caller, grants }: CallContext,
  ): Promise<Created & { now?: Temporal.Instant }> {
    checkUnit(unit, field);
    if (!cover(grants, unit)) return forbidden;
    const decide = (states: LockedStates): Created => {
      const existing = states.exactRow(unit);
      if (existing) return { outcome: 'ALREADY_EXISTS', state: existing };
      if (isLater(lastProcessedTimestamp, states.now)) return { outcome: 'IN_FUTURE', state: undefined };
      return { outcome: 'CREATED', state: states.create(unit, lastProcessedTimestamp, active) };
    };
    const { result, now } = await this.decisions.decide({ unit, caller, decide });
    return { ...result, now };
  }
}
