import { Field, InputType } from 'type-graphql';
import { CollectionUnitInput } from '../collection-unit/collection-unit.graphql.js';
import { DateTime } from '../time/date-time.scalar.js';
import type { ChangeFilter } from './change-filter.rules.js';
import { ScopeStateChangeKind } from './change-kind.graphql.js';
import type { ChangeKind } from './change.rules.js';

@InputType('ScopeStateChangeFilter', {
  description:
    'Which changes: the values of one field are ORed, the fields are ANDed. A field that is null or absent does not filter; an empty list matches nothing. A list has at most 1,000 values. A change that moved a state from one unit to another is a change of both: one of them has to fit all of `units`, `scopeIds` and `collectors`.',
})
export class ScopeStateChangeFilterInput implements ChangeFilter {
  @Field(() => [CollectionUnitInput], {
    nullable: true,
    description: 'Changes of these units’ states: of the units that they had then.',
  })
  units?: CollectionUnitInput[] | null;

  @Field(() => [String], { nullable: true, description: 'Scope ids that the states had then.' })
  scopeIds?: string[] | null;

  @Field(() => [String], { nullable: true, description: 'Collectors that the states had then.' })
  collectors?: string[] | null;

  @Field(() => [ScopeStateChangeKind], { nullable: true, description: 'What was done.' })
  kinds?: ChangeKind[] | null;

  @Field(() => [String], { nullable: true, description: 'Who did it, whole names: `external:cloudkitty`.' })
  actors?: string[] | null;

  @Field(() => DateTime, { nullable: true, description: 'Changes made then or later.' })
  since?: Temporal.Instant | null;

  @Field(() => DateTime, { nullable: true, description: 'Changes made before then.' })
  until?: Temporal.Instant | null;
}
