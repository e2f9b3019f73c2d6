import type { CallContext } from '../caller/caller.js';
import type { Grants } from '../caller/grant.rules.js';
import { BadInput } from '../fault.js';
import type { Log } from '../log.js';
import { planToken, readPlanToken } from '../scope-state/plan-token.rules.js';
import type { ScopeState } from '../scope-state/scope-state.rules.js';
import { checkReason } from '../scope-state/selection.rules.js';
import type { PlanOutcome } from '../scope-state/selection.service.js';
import type { ChangePageRepository } from './change-page.repository.js';
import type { Change, ChangeKind } from './change.rules.js';
import type { UndoPlanned, UndoRepository } from './undo.repository.js';

export interface UndoRequest {
  reason: string;
  planToken?: string | null | undefined;
}

export interface UndoResult {
  outcome: PlanOutcome;
  matched: number;
  changed: number;
  planToken: string;
  sample: ScopeState[];
  movedOn: Change[];
  movedOnCount: number;
  now: Temporal.Instant;
}

const undoable: readonly ChangeKind[] = ['RESET', 'ACTIVATED', 'DEACTIVATED', 'REKEYED', 'DELETED'];

/** Takes back what an operator did, as a whole: looked at first, then done as looked at, or not at all. */
export class UndoService {
  private readonly repository: UndoRepository;
  private readonly changes: ChangePageRepository;
  private readonly log: Log;

  constructor(repository: UndoRepository, changes: ChangePageRepository, log: Log) {
    this.repository = repository;
    this.changes = changes;
    this.log = log;
  }

  async undo(sequence: bigint, request: UndoRequest, { caller, grants }: CallContext): Promise<UndoResult> {
    const { reason } = request;
    checkReason(reason, 'input.reason');
    const token =
      request.planToken === null || request.planToken === undefined
        ? undefined
        : readPlanToken(request.planToken, 'input.planToken');
    const { operation, kind } = await this.operationOf(sequence, grants);
    if (token === undefined) return this.planned(operation, grants);
    const undo = { event: 'undo', undone: operation, kind, reason, ...caller };
    // Announced before it is done: should its end never be known, the log still says who meant to do it, and why.
    this.log.info(undo, 'undoing a change');
    const author = { ...caller, reason, operation: crypto.randomUUID() };
    const applied = await this.repository.apply(operation, kind === 'DELETED', token, author, grants);
    const result = applied.applied
      ? await this.result(operation, applied, 'APPLIED', applied.changed, grants)
      : await this.refused(operation, grants);
    this.log.info(
      { ...undo, outcome: result.outcome, matched: result.matched, changed: result.changed },
      'a change was to be undone',
    );
    return result;
  }

  /** @throws BadInput where there is nothing that could be undone */
  private async operationOf(
    sequence: bigint,
    grants: Grants,
  ): Promise<{ operation: string; kind: ChangeKind }> {
    const change = await this.changes.bySequence(sequence, grants);
    const allowed = `a change of the kind ${undoable.join(', ')} that the history still has`;
    if (change === undefined) throw new BadInput('input.changeId', 'a change that is not there', allowed);
    const { operation, kind } = change;
    if (!undoable.includes(kind) || operation === null) {
      throw new BadInput('input.changeId', `a change of the kind ${kind}`, allowed);
    }
    return { operation, kind };
  }

  /**
   * Where the caller is not granted all that the operation touched, the answer is that of an operation that was pruned in
   * part: it can't be undone as a whole, and nothing is told of the rest.
   *
   * @throws BadInput
   */
  private async planned(operation: string, grants: Grants): Promise<UndoResult> {
    const plan = await this.repository.plan(operation, grants);
    if (plan.matched < plan.size || plan.matched === 0) {
      throw new BadInput(
        'input.changeId',
        'a change whose other entries were pruned, or are not granted',
        'one that the history shows as a whole',
      );
    }
    return this.result(operation, plan, outcomeOf(plan), 0, grants);
  }

  /** What it is now: the plan to look at next. */
  private async refused(operation: string, grants: Grants): Promise<UndoResult> {
    const result = await this.planned(operation, grants);
    return { ...result, outcome: result.outcome === 'IN_FUTURE' ? 'IN_FUTURE' : 'PLAN_STALE' };
  }

  private async result(
    operation: string,
    { matched, movedOn, plan, now }: UndoPlanned,
    outcome: PlanOutcome,
    changed: number,
    grants: Grants,
  ): Promise<UndoResult> {
    const isRefused = outcome === 'PLAN_STALE' && movedOn > 0;
    return {
      outcome,
      matched,
      changed,
      planToken: planToken(plan),
      sample: await this.repository.sample(operation, grants),
      movedOn: isRefused ? await this.repository.movedOn(operation, grants) : [],
      movedOnCount: isRefused ? movedOn : 0,
      now,
    };
  }
}

function outcomeOf({ movedOn, inFuture }: UndoPlanned): PlanOutcome {
  if (movedOn > 0) return 'PLAN_STALE';
  return inFuture ? 'IN_FUTURE' : 'PLANNED';
}
