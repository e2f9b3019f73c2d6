import { Arg, Authorized, Ctx, Mutation, Resolver } from 'type-graphql';
import type { CallContext } from '../caller/caller.js';
import { collecting } from '../caller/role.rules.js';
import { batchCost } from '../relay/cost.rules.js';
import {
  AdvanceOutcome,
  AdvanceScopeStateInput,
  AdvanceScopeStatePayload,
  AdvanceScopeStatesInput,
  AdvanceScopeStatesPayload,
} from './advance.graphql.js';
import type { AdvanceService } from './advance.service.js';
import type { ScopeStatePresenter } from './scope-state.graphql.js';

@Resolver()
export class AdvanceResolver {
  private readonly service: AdvanceService;
  private readonly presenter: ScopeStatePresenter;

  constructor(service: AdvanceService, presenter: ScopeStatePresenter) {
    this.service = service;
    this.presenter = presenter;
  }

  @Authorized(collecting)
  @Mutation(() => AdvanceScopeStatePayload, {
    description:
      'Says that a unit has been rated up to and including the period that starts at `lastProcessedTimestamp`. Never goes back. Safe to send again when an answer was lost: the second one is `UNCHANGED`.',
  })
  async advanceScopeState(
    @Arg('input', () => AdvanceScopeStateInput, { description: 'What has been rated.' })
    input: AdvanceScopeStateInput,
    @Ctx() context: CallContext,
  ): Promise<AdvanceScopeStatePayload> {
    const [result] = await this.advance([input], () => 'input.unit', context);
    return result!;
  }

  @Authorized(collecting)
  @Mutation(() => AdvanceScopeStatesPayload, {
    complexity: batchCost('advances'),
    description:
      'Advances many units in one transaction: each has an outcome of its own; an error means that none was done.',
  })
  async advanceScopeStates(
    @Arg('input', () => AdvanceScopeStatesInput, { description: 'What has been rated.' })
    { advances }: AdvanceScopeStatesInput,
    @Ctx() context: CallContext,
  ): Promise<AdvanceScopeStatesPayload> {
    return { results: await this.advance(advances, (place) => `input.advances[${place}].unit`, context) };
  }

  private async advance(
    inputs: AdvanceScopeStateInput[],
    fieldOf: (place: number) => string,
    context: CallContext,
  ): Promise<AdvanceScopeStatePayload[]> {
    const advances = inputs.map(({ unit, lastProcessedTimestamp, expected }) => ({
      unit,
      lastProcessedTimestamp,
      expected,
    }));
    const { results, now } = await this.service.advance(advances, fieldOf, context);
    return results.map(({ outcome, backfilled, state }) => ({
      outcome: AdvanceOutcome[outcome],
      backfilled,
      scopeState: this.presenter.present(state, now),
    }));
  }
}
