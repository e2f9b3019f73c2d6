import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { CollectionUnitInput } from '../collection-unit/collection-unit.graphql.js';
import { forbiddenUnit } from './forbidden.graphql.js';
import { ScopeStateObject } from './scope-state.graphql.js';

export enum RekeyOutcome {
  REKEYED = 'REKEYED',
  UNCHANGED = 'UNCHANGED',
  UNIT_TAKEN = 'UNIT_TAKEN',
  NOT_FOUND = 'NOT_FOUND',
  FORBIDDEN = 'FORBIDDEN',
}
registerEnumType(RekeyOutcome, {
  name: 'RekeyOutcome',
  description: 'What a rekey came to.',
  valuesConfig: {
    REKEYED: { description: 'The state is the new unit’s.' },
    UNCHANGED: { description: 'It was that unit’s already.' },
    UNIT_TAKEN: {
      description: 'That unit has another state. Nothing was changed: delete one of the two first.',
    },
    NOT_FOUND: { description: 'There is no state of that id.' },
    FORBIDDEN: { description: forbiddenUnit },
  },
});

@InputType('RekeyScopeStateInput', { description: 'Which state to move, and where.' })
export class RekeyScopeStateInput {
  @Field(() => ID, { description: 'The state to move; a legacy or a partly filled one too.' })
  id!: string;

  @Field(() => CollectionUnitInput, { description: 'The unit that it is to belong to.' })
  unit!: CollectionUnitInput;

  @Field(() => String, { description: 'Why, for whoever asks later: 1 to 1,000 characters, not blank.' })
  reason!: string;
}

@ObjectType('RekeyScopeStatePayload', { description: 'What a rekey came to.' })
export class RekeyScopeStatePayload {
  @Field(() => RekeyOutcome, { description: 'What the rekey came to.' })
  outcome!: RekeyOutcome;

  @Field(() => ScopeStateObject, {
    nullable: true,
    description:
      'The state of that id as it now stands, after a refusal too; null if there is none, or `FORBIDDEN`.',
  })
  scopeState!: ScopeStateObject | null;
}
