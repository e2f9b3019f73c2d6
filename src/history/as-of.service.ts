import { cover, type Grants } from '../caller/grant.rules.js';
import { checkUnit, type CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import { BadInput } from '../fault.js';
import { rowFor, type ShownState } from '../scope-state/scope-state.rules.js';
import type { AsOfRepository } from './as-of.repository.js';

export class AsOfService {
  private readonly repository: AsOfRepository;

  constructor(repository: AsOfRepository) {
    this.repository = repository;
  }

  /**
   * The row that a check of the unit would have answered then, the legacy row included; none for a unit that is not granted.
   *
   * @throws BadInput for a time that the history does not reach back to, or that is still to come
   */
  async stateAsOf(
    unit: CollectionUnit,
    at: Temporal.Instant,
    grants: Grants,
  ): Promise<ShownState | undefined> {
    checkUnit(unit, 'unit');
    const { states, completeSince, now } = await this.repository.statesOfScope(unit.scopeId, at);
    const compare = (one: Temporal.Instant, other: Temporal.Instant) => Temporal.Instant.compare(one, other);
    if (compare(at, completeSince) < 0 || compare(at, now) > 0) {
      throw new BadInput(
        'at',
        at.toString(),
        `from ${completeSince.toString()}, where the history begins, to now (${now.toString()})`,
      );
    }
    return cover(grants, unit) ? rowFor(unit, states) : undefined;
  }
}
