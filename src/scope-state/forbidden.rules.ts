import { cover, type Grants } from '../caller/grant.rules.js';
import type { CollectionUnit } from '../collection-unit/collection-unit.rules.js';

/** A batch without its items on units that are not granted: whatever there is of such a unit, nobody looks. */
export interface GrantedItems<Item> {
  /** in the order given */
  readonly granted: Item[];
  /** What the granted items came to, in the places of the batch; `forbidden` in those of the others. */
  readonly place: <Result>(results: readonly Result[], forbidden: Result) => Result[];
}

export function grantedItems<Item>(
  items: readonly Item[],
  unitOf: (item: Item) => CollectionUnit,
  grants: Grants,
): GrantedItems<Item> {
  const isGranted = items.map((item) => cover(grants, unitOf(item)));
  return {
    granted: items.filter((_, place) => isGranted[place]),
    place: (results, forbidden) => {
      const rest = results.values();
      return isGranted.map((is) => (is ? rest.next().value! : forbidden));
    },
  };
}
