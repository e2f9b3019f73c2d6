import { Arg, Authorized, Ctx, Query, Resolver } from 'type-graphql';
import { anyRole } from '../caller/role.rules.js';
import type { CallContext } from '../caller/caller.js';
import { CollectionUnitInput } from '../collection-unit/collection-unit.graphql.js';
import { ScopeStateObject, type ScopeStatePresenter } from '../scope-state/scope-state.graphql.js';
import { DateTime } from '../time/date-time.scalar.js';
import type { AsOfService } from './as-of.service.js';

@Resolver()
export class AsOfResolver {
  private readonly service: AsOfService;
  private readonly presenter: ScopeStatePresenter;

  constructor(service: AsOfService, presenter: ScopeStatePresenter) {
    this.service = service;
    this.presenter = presenter;
  }

  @Authorized(anyRole)
  @Query(() => ScopeStateObject, {
    nullable: true,
    description:
      'The state that `scopeState` would have answered at that time, with `lag` and what was due as they were then; null if there was none. The history must reach back to it: `BAD_USER_INPUT` says since when it does.',
  })
  async scopeStateAsOf(
    @Arg('unit', () => CollectionUnitInput, { description: 'The unit to look up.' })
    unit: CollectionUnitInput,
    @Arg('at', () => DateTime, { description: 'When; not later than now.' }) at: Temporal.Instant,
    @Ctx() { grants }: CallContext,
  ): Promise<ScopeStateObject | null> {
    return this.presenter.present(await this.service.stateAsOf(unit, at, grants), at);
  }
}
