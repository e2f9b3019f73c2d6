import { Arg, Authorized, Ctx, Mutation, Resolver } from 'type-graphql';
import type { CallContext } from '../caller/caller.js';
import { collecting } from '../caller/role.rules.js';
import { CreateOutcome, CreateScopeStateInput, CreateScopeStatePayload } from './create.graphql.js';
import type { CreateService } from './create.service.js';
import type { ScopeStatePresenter } from './scope-state.graphql.js';

@Resolver()
export class CreateResolver {
  private readonly service: CreateService;
  private readonly presenter: ScopeStatePresenter;

  constructor(service: CreateService, presenter: ScopeStatePresenter) {
    this.service = service;
    this.presenter = presenter;
  }

  @Authorized(collecting)
  @Mutation(() => CreateScopeStatePayload, {
    description:
      'Gives a unit its first state. A legacy state of the same scope id does not stand in the way, and stays for another unit.',
  })
  async createScopeState(
    @Arg('input', () => CreateScopeStateInput, { description: 'The state to create.' })
    { unit, lastProcessedTimestamp, active }: CreateScopeStateInput,
    @Ctx() context: CallContext,
  ): Promise<CreateScopeStatePayload> {
    const { outcome, state, now } = await this.service.create(
      unit,
      lastProcessedTimestamp,
      active,
      'input.unit',
      context,
    );
    return {
      outcome: CreateOutcome[outcome],
      scopeState: state && now ? this.presenter.present(state, now) : null,
    };
  }
}
