import type { Caller, CallContext } from '../caller/caller.js';
import { checkUnit } from '../collection-unit/collection-unit.rules.js';
import type { Advance, AdvanceOutcome } from './advance.rules.js';
import type { Decisions } from './decisions.repository.js';
import { grantedItems } from './forbidden.rules.js';
import type { Advanced } from './locked-states.rules.js';
import { checkCount } from './selection.rules.js';

/** What an advance came to. */
export interface AdvancedUnit extends Omit<Advanced, 'outcome'> {
  readonly outcome: AdvanceOutcome | 'FORBIDDEN';
}

const forbidden: AdvancedUnit = { outcome: 'FORBIDDEN', backfilled: false, state: undefined };

export class AdvanceService {
  private readonly decisions: Decisions;

  constructor(decisions: Decisions) {
    this.decisions = decisions;
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
    const { results, now } = await this.decide(granted, advances.length === 1, caller);
    return { results: place<AdvancedUnit>(results, forbidden), now };
  }

  /** One that comes alone shares a transaction with what other callers send. */
  private async decide(advances: Advance[], isSingle: boolean, caller: Caller) {
    const [only] = advances;
    if (isSingle && only) {
      const { result, now } = await this.decisions.decide({
        unit: only.unit,
        caller,
        decide: (states) => states.advance(only),
        advance: only,
      });
      return { results: [result], now };
    }
    return this.decisions.advanceAll(advances, caller);
  }
}
