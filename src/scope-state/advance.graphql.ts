import { Field, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { CollectionUnitInput } from '../collection-unit/collection-unit.graphql.js';
import { DateTime } from '../time/date-time.scalar.js';
import { forbiddenUnit } from './forbidden.graphql.js';
import { ScopeStateObject } from './scope-state.graphql.js';

export enum AdvanceOutcome {
  CREATED = 'CREATED',
  ADVANCED = 'ADVANCED',
  UNCHANGED = 'UNCHANGED',
  REGRESSION = 'REGRESSION',
  STALE = 'STALE',
  INACTIVE = 'INACTIVE',
  IN_FUTURE = 'IN_FUTURE',
  FORBIDDEN = 'FORBIDDEN',
}
registerEnumType(AdvanceOutcome, {
  name: 'AdvanceOutcome',
  description:
    'What an advance came to: the first that fits, in this order: FORBIDDEN, UNCHANGED, IN_FUTURE, STALE or CREATED where there is no state, INACTIVE, STALE, REGRESSION, ADVANCED. Only CREATED and ADVANCED store the timestamp.',
  valuesConfig: {
    CREATED: { description: 'The unit had no state; now it has this one, active.' },
    ADVANCED: { description: 'The timestamp asked for is stored.' },
    UNCHANGED: {
      description:
        'It was stored already (by you, if an answer was lost): nothing to do. A legacy state is taken over.',
    },
    REGRESSION: {
      description:
        'The timestamp asked for lies before the stored one: somebody has rated further. Nothing was changed.',
    },
    STALE: {
      description:
        'The state is not what the collector believed: not the one `expected`, or an operator has moved it since the unit was last checked or advanced. Nothing was changed: check again, then rate what is due.',
    },
    INACTIVE: { description: 'The scope is switched off. Nothing was changed: leave it alone.' },
    IN_FUTURE: {
      description:
        'The timestamp asked for lies after the database’s clock. Nothing was changed: look at your clock.',
    },
    FORBIDDEN: { description: forbiddenUnit },
  },
});

@InputType('AdvanceScopeStateInput', { description: 'What has been rated.' })
export class AdvanceScopeStateInput {
  @Field(() => CollectionUnitInput, { description: 'Whose state.' })
  unit!: CollectionUnitInput;

  @Field(() => DateTime, {
    description: 'The start of the last period that has been rated; not in the future.',
  })
  lastProcessedTimestamp!: Temporal.Instant;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'What the collector believes is stored; null for “no state yet”. If it is something else, the outcome is `STALE`. Absent (which is not null): any earlier state will do, unless an operator has moved it meanwhile.',
  })
  expected?: Temporal.Instant | null;
}

@ObjectType('AdvanceScopeStatePayload', { description: 'What an advance came to.' })
export class AdvanceScopeStatePayload {
  @Field(() => AdvanceOutcome, { description: 'What the advance came to.' })
  outcome!: AdvanceOutcome;

  @Field(() => Boolean, { description: 'Whether the scope id’s legacy state became this unit’s.' })
  backfilled!: boolean;

  @Field(() => ScopeStateObject, {
    nullable: true,
    description: 'The state as it now stands, after a refusal too; null if there is none, or `FORBIDDEN`.',
  })
  scopeState!: ScopeStateObject | null;
}

@InputType('AdvanceScopeStatesInput', { description: 'What has been rated.' })
export class AdvanceScopeStatesInput {
  @Field(() => [AdvanceScopeStateInput], {
    description: 'At most 1,000. Items of one scope id act in the order given.',
  })
  advances!: AdvanceScopeStateInput[];
}

@ObjectType('AdvanceScopeStatesPayload', { description: 'What the advances came to.' })
export class AdvanceScopeStatesPayload {
  @Field(() => [AdvanceScopeStatePayload], { description: 'One for each item, in the order given.' })
  results!: AdvanceScopeStatePayload[];
}
