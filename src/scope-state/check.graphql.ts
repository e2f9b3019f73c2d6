import { Field, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { CollectionUnitInput } from '../collection-unit/collection-unit.graphql.js';
import { forbiddenUnit } from './forbidden.graphql.js';
import { PeriodObject, ScopeStateObject } from './scope-state.graphql.js';
import type { Period } from './schedule.rules.js';

export enum CheckOutcome {
  FOUND = 'FOUND',
  BACKFILLED = 'BACKFILLED',
  UNKNOWN = 'UNKNOWN',
  FORBIDDEN = 'FORBIDDEN',
}
registerEnumType(CheckOutcome, {
  name: 'CheckOutcome',
  description: 'What a check of a unit came to.',
  valuesConfig: {
    FOUND: { description: 'The unit has a state.' },
    BACKFILLED: {
      description:
        'The unit had none, but its scope id had a legacy state: that one is the unit’s from now on, its timestamp unchanged. Exactly one unit is ever told so of one legacy state.',
    },
    UNKNOWN: { description: 'Neither: nothing was written. The unit’s first advance creates its state.' },
    FORBIDDEN: { description: forbiddenUnit },
  },
});

@InputType('CheckScopeStateInput', { description: 'The unit to check.' })
export class CheckScopeStateInput {
  @Field(() => CollectionUnitInput, { description: 'The unit to check.' })
  unit!: CollectionUnitInput;
}

@ObjectType('CheckScopeStatePayload', { description: 'What a check of a unit came to.' })
export class CheckScopeStatePayload {
  @Field(() => CheckOutcome, { description: 'What the check came to.' })
  outcome!: CheckOutcome;

  @Field(() => ScopeStateObject, {
    nullable: true,
    description: 'The unit’s state; null when it is `UNKNOWN` or `FORBIDDEN`.',
  })
  scopeState!: ScopeStateObject | null;

  @Field(() => PeriodObject, {
    nullable: true,
    description:
      'The period to rate next; null when nothing is due, or `FORBIDDEN`. An unknown unit starts with the first period of the current month (UTC).',
  })
  nextPeriod!: Period | null;
}

@InputType('CheckScopeStatesInput', { description: 'The units to check.' })
export class CheckScopeStatesInput {
  @Field(() => [CollectionUnitInput], {
    description:
      'At most 1,000. Units of one scope id act in the order given: they compete for one legacy state.',
  })
  units!: CollectionUnitInput[];
}

@ObjectType('CheckScopeStatesPayload', { description: 'What the checks came to.' })
export class CheckScopeStatesPayload {
  @Field(() => [CheckScopeStatePayload], { description: 'One for each unit, in the order given.' })
  results!: CheckScopeStatePayload[];
}
