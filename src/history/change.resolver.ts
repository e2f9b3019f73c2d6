import { Args, Authorized, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { anyRole } from '../caller/role.rules.js';
import type { CallContext } from '../caller/caller.js';
import { pageCost } from '../relay/cost.rules.js';
import { ScopeStateObject, type ScopeStatePresenter } from '../scope-state/scope-state.graphql.js';
import { ChangesArguments, ScopeStateChangeConnection } from './change-connection.graphql.js';
import { ScopeStateChangeObject } from './change.graphql.js';
import { cursorOf, type ChangePage, type ChangePageService } from './change-page.service.js';

@Resolver(() => ScopeStateObject)
export class ChangeResolver {
  private readonly pages: ChangePageService;
  private readonly presenter: ScopeStatePresenter;

  constructor(pages: ChangePageService, presenter: ScopeStatePresenter) {
    this.pages = pages;
    this.presenter = presenter;
  }

  @Authorized(anyRole)
  @Query(() => ScopeStateChangeConnection, {
    complexity: pageCost,
    description:
      'Who changed which state, when and why, newest first: 100 a page unless told, 1,000 at most.',
  })
  scopeStateChanges(
    @Args(() => ChangesArguments) args: ChangesArguments,
    @Ctx() { grants }: CallContext,
  ): Promise<ScopeStateChangeConnection> {
    return this.connection(this.pages.page(args.filter ?? {}, args, grants));
  }

  @FieldResolver(() => ScopeStateChangeConnection, {
    complexity: pageCost,
    description: 'The history of this state, newest first, under whichever unit it was.',
  })
  changes(
    @Root() state: ScopeStateObject,
    @Args(() => ChangesArguments) args: ChangesArguments,
    @Ctx() { grants }: CallContext,
  ): Promise<ScopeStateChangeConnection> {
    return this.connection(this.pages.pageOfState(state.row, args.filter ?? {}, args, grants));
  }

  private async connection(asked: Promise<ChangePage>): Promise<ScopeStateChangeConnection> {
    const page = await asked;
    const edges = page.changes.map((change) => ({
      cursor: cursorOf(change),
      node: new ScopeStateChangeObject(change, this.presenter),
    }));
    return new ScopeStateChangeConnection(edges, page);
  }
}
