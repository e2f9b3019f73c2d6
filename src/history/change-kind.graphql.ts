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

export enum ScopeStateChangeKind {
  CREATED = 'CREATED',
  BACKFILLED = 'BACKFILLED',
  ADVANCED = 'ADVANCED',
  RESET = 'RESET',
  ACTIVATED = 'ACTIVATED',
  DEACTIVATED = 'DEACTIVATED',
  REKEYED = 'REKEYED',
  DELETED = 'DELETED',
  IMPORTED = 'IMPORTED',
  UNDONE = 'UNDONE',
  EXTERNAL = 'EXTERNAL',
}
registerEnumType(ScopeStateChangeKind, {
  name: 'ScopeStateChangeKind',
  description: 'What was done to a state.',
  valuesConfig: Object.fromEntries(
    Object.entries(changeKindDescriptions).map(([kind, description]) => [kind, { description }]),
  ),
});
