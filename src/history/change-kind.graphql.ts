import { registerEnumType } from 'type-graphql';
import type { ChangeKind } from './change.rules.js';

/** What each kind of change means; for the history's enum and for whatever else names kinds. */
export const changeKindDescriptions: Record<ChangeKind, string> = {
  CREATED: 'The state was made: by an advance, or by `createScopeState`.',
  BACKFILLED:
    'A legacy state was taken over by the first unit that was checked or advanced; an advance that did so may have moved it with the same change.',
  ADVANCED: 'A collector said that it has rated further. Two advances of one batch are one change.',
  RESET: 'An operator set it, back or forward.',
  ACTIVATED: 'The scope was switched on.',
  DEACTIVATED: 'The scope was switched off.',
  REKEYED: 'The state was moved to another unit.',
  DELETED: 'The state was deleted.',
  IMPORTED: '`scopestate import` made or changed it.',
  UNDONE: 'A change was undone: the state is again what it was before.',
  EXTERNAL:
    'Another program (CloudKitty itself, psql) wrote to the table: made, changed or removed the state. None of scopestate’s promises holds for such a write.',
};

/** A GraphQL enum whose values are texts, each with what it means. */
export function enumOf<Value extends string>(
  name: string,
  description: string,
  meanings: Record<Value, string>,
): Record<Value, Value> {
  const values = Object.keys(meanings) as Value[];
  const type = Object.fromEntries(values.map((value) => [value, value])) as Record<Value, Value>;
  const valuesConfig = Object.fromEntries(
    values.map((value) => [value, { description: meanings[value] }]),
  ) as Record<Value, { description: string }>;
  registerEnumType(type, { name, description, valuesConfig });
  return type;
}

export const ScopeStateChangeKind = enumOf(
  'ScopeStateChangeKind',
  'What was done to a state.',
  changeKindDescriptions,
);
