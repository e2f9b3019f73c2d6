import { cover, type Grants } from '../caller/grant.rules.js';
import { checkUnit, type CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import type { LookUps } from './look-ups.repository.js';
import type { Found, ScopeStateRepository } from './scope-state.repository.js';

/** Queries never write (DESIGN.md 2.2): a dashboard with a typing error must not take a legacy row over. */
export class LookUpService {
  private readonly states: ScopeStateRepository;
  private readonly lookUps: LookUps;

  constructor(states: ScopeStateRepository, lookUps: LookUps) {
    this.states = states;
    this.lookUps = lookUps;
  }

  /**
   * The row that a check of the unit would answer, the legacy row included; it stays as it is. Undefined: the unit is not
   * granted.
   */
  async byUnit(unit: CollectionUnit, field: string, grants: Grants): Promise<Found | undefined> {
    checkUnit(unit, field);
    return cover(grants, unit) ? this.lookUps.find(unit) : undefined;
  }

  byId(id: bigint, grants: Grants): Promise<Found> {
    return this.states.byId(id, grants);
  }
}
