import { Arg, Authorized, Ctx, Mutation, Resolver } from 'type-graphql';
import type { CallContext } from '../caller/caller.js';
import { collecting } from '../caller/role.rules.js';
import type { CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import { batchCost } from '../relay/cost.rules.js';
import {
  CheckOutcome,
  CheckScopeStateInput,
  CheckScopeStatePayload,
  CheckScopeStatesInput,
  CheckScopeStatesPayload,
} from './check.graphql.js';
import type { CheckService } from './check.service.js';
import type { ScopeStatePresenter } from './scope-state.graphql.js';

@Resolver()
export class CheckResolver {
  private readonly service: CheckService;
  private readonly presenter: ScopeStatePresenter;

  constructor(service: CheckService, presenter: ScopeStatePresenter) {
    this.service = service;
    this.presenter = presenter;
  }

  @Authorized(collecting)
  @Mutation(() => CheckScopeStatePayload, {
    description:
      'Asks how far a unit has been rated, and takes over its scope id’s legacy state if the unit has none of its own. However many callers check at once, a legacy state gets exactly one owner.',
  })
  async checkScopeState(
    @Arg('input', () => CheckScopeStateInput, { description: 'The unit to check.' })
    { unit }: CheckScopeStateInput,
    @Ctx() context: CallContext,
  ): Promise<CheckScopeStatePayload> {
    const [result] = await this.check([unit], () => 'input.unit', context);
    return result!;
  }

  @Authorized(collecting)
  @Mutation(() => CheckScopeStatesPayload, {
    complexity: batchCost('units'),
    description:
      'Checks many units in one transaction: each has an outcome of its own; an error means that none was done.',
  })
  async checkScopeStates(
    @Arg('input', () => CheckScopeStatesInput, { description: 'The units to check.' })
    { units }: CheckScopeStatesInput,
    @Ctx() context: CallContext,
  ): Promise<CheckScopeStatesPayload> {
    return { results: await this.check(units, (place) => `input.units[${place}]`, context) };
  }

  private async check(
    units: CollectionUnit[],
    fieldOf: (place: number) => string,
    context: CallContext,
  ): Promise<CheckScopeStatePayload[]> {
    const { results, now } = await this.service.check(units, fieldOf, context);
    return results.map(({ outcome, state, nextPeriod }) => ({
      outcome: CheckOutcome[outcome],
      scopeState: this.presenter.present(state, now),
      nextPeriod,
    }));
  }
}
