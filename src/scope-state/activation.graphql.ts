import { Field, InputType, ObjectType } from 'type-graphql';
import { SelectionPayload } from './plan.graphql.js';
import { ScopeStateSelectorInput } from './selector.graphql.js';

@InputType('SetScopeActivationInput', { description: 'Which scopes to switch on or off.' })
export class SetScopeActivationInput {
  @Field(() => ScopeStateSelectorInput, {
    description:
      'Which states: by `ids` or `units` they are switched at once, by `filter` or `all` planned and applied.',
  })
  select!: ScopeStateSelectorInput;

  @Field(() => Boolean, { description: 'Whether they may be advanced.' })
  active!: boolean;

  @Field(() => String, { description: 'Why, for whoever asks later: 1 to 1,000 characters, not blank.' })
  reason!: string;

  @Field(() => String, {
    nullable: true,
    description: 'With `filter` or `all`: the token of a dry run, to apply it. Absent: a dry run.',
  })
  planToken?: string | null;
}

@ObjectType('SetScopeActivationPayload', { description: 'What a switch, or its dry run, came to.' })
export class SetScopeActivationPayload extends SelectionPayload {
  @Field(() => String, {
    nullable: true,
    description: 'Applies this very plan, once, as long as it fits; null where none is needed.',
  })
  planToken!: string | null;
}
