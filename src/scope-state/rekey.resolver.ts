import { Arg, Authorized, Ctx, Mutation, Resolver } from 'type-graphql';
import type { CallContext } from '../caller/caller.js';
import { administering } from '../caller/role.rules.js';
import { rowOfNodeId } from '../relay/node-id.js';
import { RekeyOutcome, RekeyScopeStateInput, RekeyScopeStatePayload } from './rekey.graphql.js';
import type { RekeyService } from './rekey.service.js';
import { scopeStateNode, type ScopeStatePresenter } from './scope-state.graphql.js';

@Resolver()
export class RekeyResolver {
  private readonly service: RekeyService;
  private readonly presenter: ScopeStatePresenter;

  constructor(service: RekeyService, presenter: ScopeStatePresenter) {
    this.service = service;
    this.presenter = presenter;
  }

  @Authorized(administering)
  @Mutation(() => RekeyScopeStatePayload, {
    description:
      'Moves a state to another unit, its timestamp with it: for a collector that was renamed, or a partly filled row. Until the new unit is checked, an advance without `expected` is `STALE`.',
  })
  async rekeyScopeState(
    @Arg('input', () => RekeyScopeStateInput, { description: 'Which state to move, and where.' })
    { id, unit, reason }: RekeyScopeStateInput,
    @Ctx() context: CallContext,
  ): Promise<RekeyScopeStatePayload> {
    const row = rowOfNodeId(scopeStateNode, id, 'input.id');
    const { outcome, seen } = await this.service.rekey(row, unit, reason, context);
    const scopeState = seen ? this.presenter.present(seen.state, seen.now) : null;
    return { outcome: RekeyOutcome[outcome], scopeState };
  }
}
