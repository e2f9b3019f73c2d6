import { Field, InputType } from 'type-graphql';
import { DateTime } from '../time/date-time.scalar.js';
import type { ScopeStateFilter } from './filter.rules.js';

@InputType('ScopeStateFilter', {
  description:
    'Which states: the values of one field are ORed, the fields are ANDed. A field that is null or absent does not filter; an empty list matches nothing. A list has at most 1,000 values.',
})
export class ScopeStateFilterInput implements ScopeStateFilter {
  @Field(() => [String], { nullable: true, description: 'Scope ids, compared character by character.' })
  scopeIds?: string[] | null;

  @Field(() => [String], { nullable: true, description: 'Scope keys.' })
  scopeKeys?: string[] | null;

  @Field(() => [String], { nullable: true, description: 'Collectors.' })
  collectors?: string[] | null;

  @Field(() => [String], { nullable: true, description: 'Fetchers.' })
  fetchers?: string[] | null;

  @Field(() => String, {
    nullable: true,
    description: 'What the scope id begins with: 1 to 256 characters, none of them a wildcard.',
  })
  scopeIdPrefix?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'Only active states, or only inactive ones.' })
  active?: boolean | null;

  @Field(() => Boolean, { nullable: true, description: 'Only legacy states, or only the others.' })
  legacy?: boolean | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'States whose `lastProcessedTimestamp` lies before it.',
  })
  processedBefore?: Temporal.Instant | null;

  @Field(() => DateTime, {
    nullable: true,
    description: 'States whose `lastProcessedTimestamp` is it or lies after it.',
  })
  processedSince?: Temporal.Instant | null;
}
