import type { Caller } from '../caller/caller.js';
import { checkUnit } from '../collection-unit/collection-unit.rules.js';
import type { Advance } from './advance.rules.js';
import type { Decisions } from './decisions.repository.js';
import type { LockedStatesRepository } from './locked-states.repository.js';
import type { Advanced } from './locked-states.rules.js';
import { checkCount } from './selection.rules.js';

export class AdvanceService {
  private readonly locked: LockedStatesRepository;
  private readonly decisions: Decisions;

  constructor(locked: LockedStatesRepository, decisions: Decisions) {
    this.locked = locked;
    this.decisions = decisions;
  }

  /** DESIGN.md 2.3 for each item, in the order given; one transaction, so an error means that no item was done. */
  async advance(
    advances: Advance[],
    fieldOf: (place: number) => string,
    caller: Caller,
  ): Promise<{ results: Advanced[]; now: Temporal.Instant }> {
    checkCount(advances, 'input.advances');
    advances.forEach(({ unit }, place) => checkUnit(unit, fieldOf(place)));
    const [only] = advances;
    if (advances.length === 1 && only) {
      const { result, now } = await this.decisions.decide({
        unit: only.unit,
        caller,
        decide: (states) => states.advance(only),
      });
      return { results: [result], now };
    }
    return this.locked.decide(
      advances.map(({ unit }) => unit),
      caller,
      (states) => advances.map((advance) => states.advance(advance)),
    );
  }
}
