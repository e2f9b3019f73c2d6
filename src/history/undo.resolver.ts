import { Arg, Authorized, Ctx, Mutation, Resolver } from 'type-graphql';
import type { CallContext } from '../caller/caller.js';
import { operating } from '../caller/role.rules.js';
import { rowOfNodeId } from '../relay/node-id.js';
import { PlanOutcome } from '../scope-state/plan.graphql.js';
import type { ScopeStatePresenter } from '../scope-state/scope-state.graphql.js';
import { changeNode, ScopeStateChangeObject } from './change.graphql.js';
import { UndoScopeStateChangeInput, UndoScopeStateChangePayload } from './undo.graphql.js';
import type { UndoService } from './undo.service.js';

@Resolver()
export class UndoResolver {
  private readonly service: UndoService;
  private readonly presenter: ScopeStatePresenter;

  constructor(service: UndoService, presenter: ScopeStatePresenter) {
    this.service = service;
    this.presenter = presenter;
  }

  @Authorized(operating)
  @Mutation(() => UndoScopeStateChangePayload, {
    description:
      'Takes a reset, an activation, a rekey or a deletion back, for all states that it touched or for none. Planned and applied like a reset. Until a state that it moved is checked, an advance of it without `expected` is `STALE`.',
  })
  async undoScopeStateChange(
    @Arg('input', () => UndoScopeStateChangeInput, { description: 'Which change to take back.' })
    { changeId, ...request }: UndoScopeStateChangeInput,
    @Ctx() context: CallContext,
  ): Promise<UndoScopeStateChangePayload> {
    const sequence = rowOfNodeId(changeNode, changeId, 'input.changeId');
    const { outcome, sample, movedOn, now, ...result } = await this.service.undo(sequence, request, context);
    return {
      ...result,
      outcome: PlanOutcome[outcome],
      sample: sample.map((state) => this.presenter.present(state, now)),
      movedOn: movedOn.map((change) => new ScopeStateChangeObject(change, this.presenter)),
    };
  }
}
