import type { CallContext } from '../caller/caller.js';
import { checkUnit, type CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import { isLater } from './advance.rules.js';
import { grantedItems } from './forbidden.rules.js';
import type { LockedStatesRepository } from './locked-states.repository.js';
import type { LockedStates } from './locked-states.rules.js';
import type { ScopeState } from './scope-state.rules.js';

export type CreateOutcome = 'CREATED' | 'ALREADY_EXISTS' | 'IN_FUTURE' | 'FORBIDDEN';

export interface Created {
  readonly outcome: CreateOutcome;
  readonly state: ScopeState | undefined;
}

const forbidden: Created = { outcome: 'FORBIDDEN', state: undefined };

export class CreateService {
  private readonly locked: LockedStatesRepository;

  constructor(locked: LockedStatesRepository) {
    this.locked = locked;
  }

  /** Inserts a unit's row. A row of its own stands in the way, whatever it says; a legacy row of its scope id does not. */
  async create(
    unit: CollectionUnit,
    lastProcessedTimestamp: Temporal.Instant,
    active: boolean,
    field: string,
    { caller, grants }: CallContext,
  ) {
    checkUnit(unit, field);
    const decide = (states: LockedStates): Created => {
      const existing = states.exactRow(unit);
      if (existing) return { outcome: 'ALREADY_EXISTS', state: existing };
      if (isLater(lastProcessedTimestamp, states.now)) return { outcome: 'IN_FUTURE', state: undefined };
      return { outcome: 'CREATED', state: states.create(unit, lastProcessedTimestamp, active) };
    };
    const { granted, place } = grantedItems([unit], (asked) => asked, grants);
    const { results, now } = await this.locked.decide(granted, caller, (states) =>
      granted.map(() => decide(states)),
    );
    return { ...place(results, forbidden)[0]!, now };
  }
}
