import type { CallContext, Caller } from '../caller/caller.js';
import type { Grants } from '../caller/grant.rules.js';
import { BadInput } from '../fault.js';
import type { Log } from '../log.js';
import { planToken, readPlanToken, type Plan } from './plan-token.rules.js';
import type { Applied, Intent, Planned, SelectionRepository } from './selection.repository.js';
import { checkReason, selectionOf, type Selection, type Selector } from './selection.rules.js';
import type { ScopeState } from './scope-state.rules.js';

export type PlanOutcome = 'PLANNED' | 'APPLIED' | 'PLAN_STALE' | 'IN_FUTURE';

export interface SelectionResult {
  outcome: PlanOutcome;
  matched: number;
  changed: number;
  advancedSincePlan: number;
  planToken: string;
  sample: ScopeState[];
  /** places in the selector's ids or units that have no row */
  unmatched: number[];
  now: Temporal.Instant;
}

export interface SelectionRequest {
  select: Selector;
  reason: string;
  planToken?: string | null | undefined;
}

/** What an operator does to many states at once: looked at first, then done as looked at, or not at all. */
export class SelectionService {
  private readonly repository: SelectionRepository;
  private readonly log: Log;

  constructor(repository: SelectionRepository, log: Log) {
    this.repository = repository;
    this.log = log;
  }

  /** Without a plan token a dry run; with one, done exactly as planned, or `PLAN_STALE` and nothing changed. */
  async planned(request: SelectionRequest, intent: Intent, context: CallContext): Promise<SelectionResult> {
    const selection = selectionOf(request.select, 'input.select');
    checkReason(request.reason, 'input.reason');
    if (request.planToken === null || request.planToken === undefined) {
      return dryRun(await this.repository.plan(selection, intent, context.grants), selection);
    }
    const plan = readPlanToken(request.planToken, 'input.planToken');
    const applied = await this.apply(request, selection, intent, plan, context);
    const result = applied.applied
      ? appliedResult(applied, selection)
      : { ...(await this.refused(selection, intent, context.grants)), advancedSincePlan: 0 };
    this.record(request, intent, context.caller, result);
    return result;
  }

  /** For states named one by one: done at once. A plan is for what a filter finds. */
  async activate(request: SelectionRequest, active: boolean, context: CallContext): Promise<SelectionResult> {
    const intent: Intent = { kind: 'activation', active };
    const selection = selectionOf(request.select, 'input.select');
    if (selection.by === 'filter' || selection.by === 'all') return this.planned(request, intent, context);
    checkReason(request.reason, 'input.reason');
    if (request.planToken !== null && request.planToken !== undefined) {
      throw new BadInput(
        'input.planToken',
        'a plan token with ids or units',
        'none: these are switched at once',
      );
    }
    const result = appliedResult(await this.apply(request, selection, intent, undefined, context), selection);
    this.record(request, intent, context.caller, result);
    return result;
  }

  /** Announced before it is done: should its end never be known, the log still says who meant to do it, and why. */
  private apply(
    { reason }: SelectionRequest,
    selection: Selection,
    intent: Intent,
    plan: Plan | undefined,
    { caller, grants }: CallContext,
  ): Promise<Applied> {
    this.log.info(
      { event: intent.kind, ...targetOf(intent), reason, ...caller },
      `applying a ${intent.kind}`,
    );
    const author = { ...caller, reason, operation: crypto.randomUUID() };
    return this.repository.apply(selection, intent, plan, author, grants);
  }

  /** What the selection is now: the plan to look at next. */
  private async refused(selection: Selection, intent: Intent, grants: Grants): Promise<SelectionResult> {
    const planned = dryRun(await this.repository.plan(selection, intent, grants), selection);
    return { ...planned, outcome: planned.outcome === 'IN_FUTURE' ? 'IN_FUTURE' : 'PLAN_STALE' };
  }

  private record(request: SelectionRequest, intent: Intent, caller: Caller, result: SelectionResult): void {
    const { outcome, matched, changed } = result;
    this.log.info(
      {
        event: intent.kind,
        ...targetOf(intent),
        outcome,
        matched,
        changed,
        reason: request.reason,
        ...caller,
      },
      `${intent.kind} of a selection`,
    );
  }
}

function targetOf(intent: Intent): Record<string, unknown> {
  if (intent.kind === 'reset') return { to: intent.lastProcessedTimestamp.toString() };
  return intent.kind === 'activation' ? { active: intent.active } : {};
}

function dryRun(planned: Planned, selection: Selection): SelectionResult {
  return {
    outcome: planned.inFuture ? 'IN_FUTURE' : 'PLANNED',
    matched: planned.matched,
    changed: 0,
    advancedSincePlan: 0,
    planToken: planToken(planned.plan),
    sample: planned.sample,
    unmatched: unmatchedOf(selection, planned.found),
    now: planned.now,
  };
}

function appliedResult(applied: Applied, selection: Selection): SelectionResult {
  const { changed, advancedSincePlan } = applied;
  return { ...dryRun(applied, selection), outcome: 'APPLIED', changed, advancedSincePlan };
}

function unmatchedOf(selection: Selection, found: string[]): number[] {
  const there = new Set(found.map((json) => JSON.stringify(JSON.parse(json))));
  return asked(selection).flatMap((key, place) => (there.has(key) ? [] : [place]));
}

function asked(selection: Selection): string[] {
  switch (selection.by) {
    case 'ids':
      return selection.ids.map((id) => JSON.stringify(String(id)));
    case 'units':
      return selection.units.map((unit) =>
        JSON.stringify([unit.scopeId, unit.scopeKey, unit.collector, unit.fetcher]),
      );
    case 'filter':
    case 'all':
      return [];
  }
}
