import { cover, type Grants } from '../caller/grant.rules.js';
import { checkUnit, type CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import type { LookUps } from './look-ups.repository.js';
import type { ScopeStateRepository } from './scope-state.repository.js';
import { rowFor, type ScopeState } from './scope-state.rules.js';

/** A row as it stood at one moment, and that moment by the database's clock. */
export interface Found {
  state: ScopeState | undefined;
  now: Temporal.Instant;
}

/** Queries never write (DESIGN.md 2.2): a dashboard with a typing error must not take a legacy row over. */
export class LookUpService {
  private readonly states: ScopeStateRepository;
  private readonly lookUps: LookUps;

  constructor(states: ScopeStateRepository, lookUps: LookUps) {
    this.states = states;
    this.lookUps = lookUps;
  }

  /**
   * The row that a check of the unit would answer, the legacy row included; it stays as it is. A unit that is not granted
   * has none.
   */
  async byUnit(unit: CollectionUnit, field: string, grants: Grants): Promise<Found> {
    checkUnit(unit, field);
    const { rows, now } = cover(grants, unit)
      ? await this.lookUps.candidates(unit)
      : await this.states.candidates([]);
    return { state: rowFor(unit, rows), now };
  }

  async byId(id: bigint, grants: Grants): Promise<Found> {
    const { row, now } = await this.states.byId(id, grants);
    return { state: row, now };
  }
}
