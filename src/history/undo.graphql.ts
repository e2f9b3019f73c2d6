import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { listCost } from '../relay/cost.rules.js';
import { PlanOutcome } from '../scope-state/plan.graphql.js';
import { ScopeStateObject } from '../scope-state/scope-state.graphql.js';
import { ScopeStateChangeObject } from './change.graphql.js';

@InputType('UndoScopeStateChangeInput', { description: 'Which change to take back, and why.' })
export class UndoScopeStateChangeInput {
  @Field(() => ID, {
    description:
      'The id of a change of the kind `RESET`, `ACTIVATED`, `DEACTIVATED`, `REKEYED` or `DELETED`: what was done with it, to however many states, is undone as a whole.',
  })
  changeId!: string;

  @Field(() => String, { description: 'Why, for the history: 1 to 1,000 characters, not blank.' })
  reason!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Absent: a dry run, which answers one. With it, what was planned is done.',
  })
  planToken?: string | null;
}

@ObjectType('UndoScopeStateChangePayload', { description: 'What an undo came to, or would come to.' })
export class UndoScopeStateChangePayload {
  @Field(() => PlanOutcome, {
    description:
      '`PLAN_STALE`, already in a dry run, where a state has moved on since the change, or its unit has another state now: nothing was changed. `IN_FUTURE` where a state would get a time after the database’s clock.',
  })
  outcome!: PlanOutcome;

  @Field(() => Int, { description: 'How many states the change touched.' })
  matched!: number;

  @Field(() => Int, { description: 'How many states were changed: all of them if `APPLIED`, else 0.' })
  changed!: number;

  @Field(() => String, { description: 'For the same input again: does what was looked at, once.' })
  planToken!: string;

  @Field(() => [ScopeStateObject], {
    complexity: listCost(20),
    description: 'Some of the states as they are now, by scope id: at most 20.',
  })
  sample!: ScopeStateObject[];

  @Field(() => [ScopeStateChangeObject], {
    complexity: listCost(100),
    description: 'Where states have moved on: the changes that can’t be undone therefore, at most 100.',
  })
  movedOn!: ScopeStateChangeObject[];

  @Field(() => Int, { description: 'How many states have moved on.' })
  movedOnCount!: number;
}
