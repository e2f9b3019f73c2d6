import { Field, InputType, Int, ObjectType } from 'type-graphql';
import { DateTime } from '../time/date-time.scalar.js';
import { SelectionPayload } from './plan.graphql.js';
import { ScopeStateSelectorInput } from './selector.graphql.js';

@InputType('ResetScopeStatesInput', { description: 'Which states to set, and to what.' })
export class ResetScopeStatesInput {
  @Field(() => ScopeStateSelectorInput, { description: 'Which states; inactive ones are reset too.' })
  select!: ScopeStateSelectorInput;

  @Field(() => DateTime, {
    description: 'What they are set to, earlier or later than now stored; not in the future.',
  })
  lastProcessedTimestamp!: Temporal.Instant;

  @Field(() => String, { description: 'Why, for whoever asks later: 1 to 1,000 characters, not blank.' })
  reason!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The token of a dry run with the same selection and timestamp: apply it. Absent: a dry run.',
  })
  planToken?: string | null;
}

@ObjectType('ResetScopeStatesPayload', { description: 'What a reset, or its dry run, came to.' })
export class ResetScopeStatesPayload extends SelectionPayload {
  @Field(() => Int, {
    description:
      'How many of the states have advanced between the plan and its application; that does not spoil it. By the database’s clock: an advance that was just being written when the plan was made may be missing.',
  })
  advancedSincePlan!: number;

  @Field(() => String, { description: 'Applies this very plan, once, as long as it fits.' })
  planToken!: string;
}
