import type { CallContext } from '../caller/caller.js';
import { checkUnit } from '../collection-unit/collection-unit.rules.js';
import type { Advance, AdvanceOutcome } from './advance.rules.js';
import { grantedItems } from './forbidden.rules.js';
import type { LockedStatesRepository } from './locked-states.repository.js';
import type { Advanced } from './locked-states.rules.js';
import { checkCount } from './selection.rules.js';

/** What an advance came to. */
export interface AdvancedUnit extends Omit<Advanced, 'outcome'> {
  readonly outcome: AdvanceOutcome | 'FORBIDDEN';
}

const forbidden: AdvancedUnit = { outcome: 'FORBIDDEN', backfilled: false, state: undefined };

export class AdvanceService {
  private readonly locked: LockedStatesRepository;

  constructor(locked: LockedStatesRepository) {
    this.locked = locked;
  }

  /**
   * DESIGN.md 2.3 for each item whose unit is granted, in the order given; one transaction, so an error means that no item
   * was done.
   */
  async advance(
    advances: Advance[],
    fieldOf: (place: number) => string,
    { caller, grants }: CallContext,
  ): Promise<{ results: AdvancedUnit[]; now: Temporal.Instant }> {
    checkCount(advances, 'input.advances');
    advances.forEach(({ unit }, place) => checkUnit(unit, fieldOf(place)));
    const { granted, place } = grantedItems(advances, ({ unit }) => unit, grants);
    const { results, now } = await this.locked.decide(
      granted.map(({ unit }) => unit),
      caller,
      (states) => granted.map((advance) => states.advance(advance)),
    );
    return { results: place<AdvancedUnit>(results, forbidden), now };
  }
}
