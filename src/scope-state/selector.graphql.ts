import { Field, ID, InputType } from 'type-graphql';
import { CollectionUnitInput } from '../collection-unit/collection-unit.graphql.js';
import { rowOfNodeId } from '../relay/node-id.js';
import { ScopeStateFilterInput } from './filter.graphql.js';
import { scopeStateNode } from './scope-state.graphql.js';
import type { Selector } from './selection.rules.js';

export const selectorName = 'ScopeStateSelector';

/** `isOneOf` is set on the built type (api/schema.ts): this release of type-graphql has no decorator for it. */
@InputType(selectorName, {
  description: 'Which states an operator means: exactly one of these. Nothing is backfilled by selecting.',
})
export class ScopeStateSelectorInput {
  @Field(() => [ID], { nullable: true, description: 'States by their ids, at most 1,000.' })
  ids?: string[] | null;

  @Field(() => [CollectionUnitInput], {
    nullable: true,
    description: 'The states of exactly these units, at most 1,000; never a legacy state.',
  })
  units?: CollectionUnitInput[] | null;

  @Field(() => ScopeStateFilterInput, {
    nullable: true,
    description:
      'Whatever the filter matches. At least one of its fields must not be null: a variable left out must not select everything.',
  })
  filter?: ScopeStateFilterInput | null;

  @Field(() => Boolean, { nullable: true, description: 'All states there are; only `true` is allowed.' })
  all?: boolean | null;
}

export function toSelector(input: ScopeStateSelectorInput): Selector {
  const { ids, ...others } = input;
  return {
    ...others,
    ids: ids?.map((id, place) => rowOfNodeId(scopeStateNode, id, `input.select.ids[${place}]`)),
  };
}

/** The ids or units at these places of the selector, as texts: a unit is the JSON of its four texts. */
export function unmatchedTexts(input: ScopeStateSelectorInput, places: number[]): string[] {
  return places.map((place) => {
    const unit = input.units?.[place];
    if (!unit) return input.ids![place]!;
    const { scopeId, scopeKey, collector, fetcher } = unit;
    return JSON.stringify({ scopeId, scopeKey, collector, fetcher });
  });
}
