import { Field, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { CollectionUnitInput } from '../collection-unit/collection-unit.graphql.js';
import { DateTime } from '../time/date-time.scalar.js';
import { forbiddenUnit } from './forbidden.graphql.js';
import { ScopeStateObject } from './scope-state.graphql.js';

export enum CreateOutcome {
  CREATED = 'CREATED',
  ALREADY_EXISTS = 'ALREADY_EXISTS',
  IN_FUTURE = 'IN_FUTURE',
  FORBIDDEN = 'FORBIDDEN',
}
registerEnumType(CreateOutcome, {
  name: 'CreateOutcome',
  description: 'What a creation came to.',
  valuesConfig: {
    CREATED: { description: 'The unit has this state now.' },
    ALREADY_EXISTS: { description: 'The unit has a state, whatever it says. Nothing was changed.' },
    IN_FUTURE: { description: 'The timestamp lies after the database’s clock. Nothing was changed.' },
    FORBIDDEN: { description: forbiddenUnit },
  },
});

@InputType('CreateScopeStateInput', { description: 'The state to create.' })
export class CreateScopeStateInput {
  @Field(() => CollectionUnitInput, { description: 'Whose state.' })
  unit!: CollectionUnitInput;

  @Field(() => DateTime, {
    description: 'The start of the last period that has been rated; not in the future.',
  })
  lastProcessedTimestamp!: Temporal.Instant;

  @Field(() => Boolean, { defaultValue: true, description: 'Whether it may be advanced.' })
  active!: boolean;
}

@ObjectType('CreateScopeStatePayload', { description: 'What a creation came to.' })
export class CreateScopeStatePayload {
  @Field(() => CreateOutcome, { description: 'What the creation came to.' })
  outcome!: CreateOutcome;

  @Field(() => ScopeStateObject, {
    nullable: true,
    description: 'The unit’s state as it now stands; null if it has none, or `FORBIDDEN`.',
  })
  scopeState!: ScopeStateObject | null;
}
