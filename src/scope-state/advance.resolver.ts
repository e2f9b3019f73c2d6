import { Arg, Mutation, Resolver } from 'type-graphql';
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

  @Mutation(() => AdvanceScopeStatePayload, {
    description:
      'Says that a unit has been rated up to and including the period that starts at `lastProcessedTimestamp`. Never goes back. Safe to send again when an answer was lost: the second one is `UNCHANGED`.',
  })
  async advanceScopeState(
    @Arg('input', () => AdvanceScopeStateInput, { description: 'What has been rated.' })
    input: AdvanceScopeStateInput,
  ): Promise<AdvanceScopeStatePayload> {
    const [result] = await this.advance([input], () => 'input.unit');
    return result!;
  }

  @Mutation(() => AdvanceScopeStatesPayload, {
    description:
      'Advances many units in one transaction: each has an outcome of its own; an error means that none was done.',
  })
  async advanceScopeStates(
    @Arg('input', () => AdvanceScopeStatesInput, { description: 'What has been rated.' })
    { advances }: AdvanceScopeStatesInput,
  ): Promise<AdvanceScopeStatesPayload> {
    return { results: await this.advance(advances, (place) => `input.advances[${place}].unit`) };
  }

  private async advance(
    inputs: AdvanceScopeStateInput[],
    fieldOf: (place: number) => string,
  ): Promise<AdvanceScopeStatePayload[]> {
    const advances = inputs.map(({ unit, lastProcessedTimestamp, expected }) => ({
      unit,
      lastProcessedTimestamp,
      expected,
    }));
    const { results, now } = await this.service.advance(advances, fieldOf);
    return results.map(({ outcome, backfilled, state }) => ({
      outcome: AdvanceOutcome[outcome],
      backfilled,
      scopeState: this.presenter.present(state, now),
    }));
  }
}
