import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { listCost } from '../relay/cost.rules.js';
import { ScopeStateObject } from './scope-state.graphql.js';

export enum PlanOutcome {
  PLANNED = 'PLANNED',
  APPLIED = 'APPLIED',
  PLAN_STALE = 'PLAN_STALE',
  IN_FUTURE = 'IN_FUTURE',
}
registerEnumType(PlanOutcome, {
  name: 'PlanOutcome',
  description: 'What a planned change came to.',
  valuesConfig: {
    PLANNED: {
      description: 'A dry run: nothing was changed. Send it again with the `planToken` to apply it.',
    },
    APPLIED: { description: 'Done, to every state selected.' },
    PLAN_STALE: {
      description:
        'The plan does not fit any more: the selection is another set, one of its states was changed, or the plan was applied before. Nothing was changed; the payload shows the selection as it is now, with a new `planToken`.',
    },
    IN_FUTURE: {
      description: 'The timestamp asked for lies after the database’s clock. Nothing was changed.',
    },
  },
});

/** What the payloads of all changes by selection have in common. */
@ObjectType()
export abstract class SelectionPayload {
  @Field(() => PlanOutcome, { description: 'What it came to.' })
  outcome!: PlanOutcome;

  @Field(() => Int, { description: 'How many states are selected.' })
  matched!: number;

  @Field(() => Int, { description: 'How many states were changed: 0 unless `APPLIED`.' })
  changed!: number;

  @Field(() => [ScopeStateObject], {
    complexity: listCost(20),
    description:
      'The first of the selected states by scope id, at most 20: as changed if `APPLIED`, else as they are.',
  })
  sample!: ScopeStateObject[];

  @Field(() => [String], {
    description:
      'The `ids` or `units` asked for that have no state, or one that the caller is not granted; a unit as the JSON of its four texts.',
  })
  unmatched!: string[];
}
