import { Arg, Args, Authorized, Ctx, Info, Query, Resolver } from 'type-graphql';
import { anyRole } from '../caller/role.rules.js';
import type { CallContext } from '../caller/caller.js';
import { CollectionUnitInput } from '../collection-unit/collection-unit.graphql.js';
import { asksForOneOf, type Asked } from '../relay/asked-fields.js';
import { pageCost } from '../relay/cost.rules.js';
import { ScopeStateConnection, ScopeStatesArguments } from './connection.graphql.js';
import type { LookUpService } from './look-up.service.js';
import type { PageService } from './page.service.js';
import { ScopeStateObject, timesOfChange, type ScopeStatePresenter } from './scope-state.graphql.js';

@Resolver()
export class ScopeStateResolver {
  private readonly lookUp: LookUpService;
  private readonly pages: PageService;
  private readonly presenter: ScopeStatePresenter;

  constructor(lookUp: LookUpService, pages: PageService, presenter: ScopeStatePresenter) {
    this.lookUp = lookUp;
    this.pages = pages;
    this.presenter = presenter;
  }

  @Authorized(anyRole)
  @Query(() => ScopeStateObject, {
    nullable: true,
    description:
      'The state that a check of the unit would answer, the legacy state included (`legacy: true`); null if there is none. Changes nothing: a legacy state is taken over by mutations only.',
  })
  async scopeState(
    @Arg('unit', () => CollectionUnitInput, { description: 'The unit to look up.' })
    unit: CollectionUnitInput,
    @Ctx() { grants }: CallContext,
  ): Promise<ScopeStateObject | null> {
    const found = await this.lookUp.byUnit(unit, 'unit', grants);
    return found ? this.presenter.present(found.state, found.now) : null;
  }

  @Authorized(anyRole)
  @Query(() => ScopeStateConnection, {
    complexity: pageCost,
    description: 'States page by page: 100 a page unless told, 1,000 at most.',
  })
  async scopeStates(
    @Args(() => ScopeStatesArguments) { filter, orderBy, ...paging }: ScopeStatesArguments,
    @Ctx() { grants }: CallContext,
    @Info() asked: Asked,
  ): Promise<ScopeStateConnection> {
    const order = { field: orderBy?.field ?? 'SCOPE_ID', direction: orderBy?.direction ?? 'ASC' } as const;
    const timesOfChanges = asksForOneOf(timesOfChange, asked);
    const page = await this.pages.page(filter ?? {}, order, paging, { grants, timesOfChanges });
    return new ScopeStateConnection({
      nodes: page.states.map((state) => this.presenter.present(state, page.now)),
      cursorAt: (place) => page.cursorOf(page.states[place]!),
      hasNextPage: page.hasNextPage,
      hasPreviousPage: page.hasPreviousPage,
      count: page.count,
    });
  }
}
