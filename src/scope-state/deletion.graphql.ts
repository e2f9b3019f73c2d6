import { Field, InputType, ObjectType } from 'type-graphql';
import { SelectionPayload } from './plan.graphql.js';
import { ScopeStateSelectorInput } from './selector.graphql.js';

@InputType('DeleteScopeStatesInput', { description: 'Which states to delete.' })
export class DeleteScopeStatesInput {
  @Field(() => ScopeStateSelectorInput, { description: 'Which states.' })
  select!: ScopeStateSelectorInput;

  @Field(() => String, { description: 'Why, for whoever asks later: 1 to 1,000 characters, not blank.' })
  reason!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The token of a dry run with the same selection: apply it. Absent: a dry run.',
  })
  planToken?: string | null;
}

@ObjectType('DeleteScopeStatesPayload', {
  description:
    'What a deletion, or its dry run, came to. Any change of a selected state spoils its plan, an advance too.',
})
export class DeleteScopeStatesPayload extends SelectionPayload {
  @Field(() => String, { nullable: true, description: 'Applies this very plan, once, as long as it fits.' })
  planToken!: string | null;
}
