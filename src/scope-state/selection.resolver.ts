import { Arg, Authorized, Ctx, Mutation, Resolver } from 'type-graphql';
import type { CallContext } from '../caller/caller.js';
import { administering, operating } from '../caller/role.rules.js';
import { SetScopeActivationInput, SetScopeActivationPayload } from './activation.graphql.js';
import { DeleteScopeStatesInput, DeleteScopeStatesPayload } from './deletion.graphql.js';
import { PlanOutcome } from './plan.graphql.js';
import { ResetScopeStatesInput, ResetScopeStatesPayload } from './reset.graphql.js';
import type { ScopeStatePresenter } from './scope-state.graphql.js';
import type { SelectionResult, SelectionService } from './selection.service.js';
import { toSelector, unmatchedTexts, type ScopeStateSelectorInput } from './selector.graphql.js';

@Resolver()
export class SelectionResolver {
  private readonly service: SelectionService;
  private readonly presenter: ScopeStatePresenter;

  constructor(service: SelectionService, presenter: ScopeStatePresenter) {
    this.service = service;
    this.presenter = presenter;
  }

  @Authorized(operating)
  @Mutation(() => SetScopeActivationPayload, {
    description:
      'Switches scopes on or off. An inactive scope keeps its state and refuses advances; its toggle date changes only when its flag does.',
  })
  async setScopeActivation(
    @Arg('input', () => SetScopeActivationInput, { description: 'Which scopes to switch on or off.' })
    input: SetScopeActivationInput,
    @Ctx() context: CallContext,
  ): Promise<SetScopeActivationPayload> {
    const request = { ...input, select: toSelector(input.select) };
    const result = await this.service.activate(request, input.active, context);
    const planned = input.select.filter || input.select.all;
    return { ...this.payload(result, input.select), planToken: planned ? result.planToken : null };
  }

  @Authorized(operating)
  @Mutation(() => ResetScopeStatesPayload, {
    description:
      'Sets states, back or forward: the only way back there is. Two steps: a dry run answers what would be touched and a `planToken`; with that token it is applied, to all of it or not at all. Moves the state only: rated data lies in the rating store.',
  })
  async resetScopeStates(
    @Arg('input', () => ResetScopeStatesInput, { description: 'Which states to set, and to what.' })
    input: ResetScopeStatesInput,
    @Ctx() context: CallContext,
  ): Promise<ResetScopeStatesPayload> {
    const { lastProcessedTimestamp } = input;
    const request = { ...input, select: toSelector(input.select) };
    const result = await this.service.planned(request, { kind: 'reset', lastProcessedTimestamp }, context);
    const { advancedSincePlan, planToken } = result;
    return { ...this.payload(result, input.select), advancedSincePlan, planToken };
  }

  @Authorized(administering)
  @Mutation(() => DeleteScopeStatesPayload, {
    description:
      'Deletes states, planned and applied like a reset. A unit without a state starts anew when it is advanced.',
  })
  async deleteScopeStates(
    @Arg('input', () => DeleteScopeStatesInput, { description: 'Which states to delete.' })
    input: DeleteScopeStatesInput,
    @Ctx() context: CallContext,
  ): Promise<DeleteScopeStatesPayload> {
    const request = { ...input, select: toSelector(input.select) };
    const result = await this.service.planned(request, { kind: 'deletion' }, context);
    return { ...this.payload(result, input.select), planToken: result.planToken };
  }

  private payload(result: SelectionResult, select: ScopeStateSelectorInput) {
    const { outcome, matched, changed, sample, unmatched, now } = result;
    return {
      outcome: PlanOutcome[outcome],
      matched,
      changed,
      sample: sample.map((state) => this.presenter.present(state, now)),
      unmatched: unmatchedTexts(select, unmatched),
    };
  }
}
