import { Args, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { pageCost } from '../relay/cost.rules.js';
import { ScopeStateObject, type ScopeStatePresenter } from '../scope-state/scope-state.graphql.js';
import { ChangesArguments, ScopeStateChangeConnection } from './change-connection.graphql.js';
import { ScopeStateChangeObject } from './change.graphql.js';
import { cursorOf, type ChangePageService } from './change-page.service.js';

@Resolver(() => ScopeStateObject)
export class ChangeResolver {
  private readonly pages: ChangePageService;
  private readonly presenter: ScopeStatePresenter;

  constructor(pages: ChangePageService, presenter: ScopeStatePresenter) {
    this.pages = pages;
    this.presenter = presenter;
  }

  @Query(() => ScopeStateChangeConnection, {
    complexity: pageCost,
    description:
      'Who changed which state, when and why, newest first: 100 a page unless told, 1,000 at most.',
  })
  scopeStateChanges(
    @Args(() => ChangesArguments) args: ChangesArguments,
  ): Promise<ScopeStateChangeConnection> {
    return this.page(args);
  }

  @FieldResolver(() => ScopeStateChangeConnection, {
    complexity: pageCost,
    description: 'The history of this state, newest first, under whichever unit it was.',
  })
  changes(
    @Root() state: ScopeStateObject,
    @Args(() => ChangesArguments) args: ChangesArguments,
  ): Promise<ScopeStateChangeConnection> {
    return this.page(args, state.row);
  }

  private async page({ filter, ...paging }: ChangesArguments, stateId?: number) {
    const page = await this.pages.page(filter ?? {}, paging, stateId);
    const edges = page.changes.map((change) => ({
      cursor: cursorOf(change),
      node: new ScopeStateChangeObject(change, this.presenter),
    }));
    return new ScopeStateChangeConnection(edges, page);
  }
}
