import { checkUnit, lengthOf, type CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import { BadInput } from '../fault.js';
import { checkFilter, filtersNothing, type ScopeStateFilter } from './filter.rules.js';

/** Units, ids or items of one mutation at most. */
const mostItems = 1_000;

/** What a caller names in a selector: exactly one of these. */
export interface Selector {
  ids?: bigint[] | null | undefined;
  units?: CollectionUnit[] | null | undefined;
  filter?: ScopeStateFilter | null | undefined;
  all?: boolean | null | undefined;
}

export type Selection =
  | { by: 'ids'; ids: bigint[] }
  | { by: 'units'; units: CollectionUnit[] }
  | { by: 'filter'; filter: ScopeStateFilter }
  | { by: 'all' };

/**
 * Checks "exactly one" again, whatever executed the query. A filter needs a field that is not null: a variable left out
 * must not select the whole cloud.
 *
 * @throws BadInput
 */
export function selectionOf(selector: Selector, field: string): Selection {
  const given = Object.entries(selector).filter(([, value]) => value !== null && value !== undefined);
  const names = given.map(([name]) => name);
  if (names.length !== 1) {
    throw new BadInput(
      field,
      names.length === 0 ? 'none' : names.join(' and '),
      'exactly one of ids, units, filter, all',
    );
  }
  if (selector.ids) {
    checkCount(selector.ids, `${field}.ids`);
    return { by: 'ids', ids: selector.ids };
  }
  if (selector.units) {
    checkCount(selector.units, `${field}.units`);
    selector.units.forEach((unit, place) => checkUnit(unit, `${field}.units[${place}]`));
    return { by: 'units', units: selector.units };
  }
  if (selector.filter) {
    if (filtersNothing(selector.filter)) {
      throw new BadInput(
        `${field}.filter`,
        'no field that is not null',
        'at least one; all: true selects all states',
      );
    }
    checkFilter(selector.filter, `${field}.filter`);
    return { by: 'filter', filter: selector.filter };
  }
  if (selector.all !== true) throw new BadInput(`${field}.all`, 'false', 'true, or another selector');
  return { by: 'all' };
}

/** @throws BadInput for more items than one mutation takes */
export function checkCount(items: readonly unknown[], field: string): void {
  if (items.length > mostItems) throw new BadInput(field, `${items.length} items`, `at most ${mostItems}`);
}

const longestReason = 1_000;

/** @throws BadInput: a reason has 1 to 1,000 characters and is not blank */
export function checkReason(reason: string, field: string): void {
  const allowed = `1 to ${longestReason} characters, not only blanks, no NUL and no half of a surrogate pair`;
  if (!/[^\s\p{Cf}]/u.test(reason)) throw new BadInput(field, 'a blank text', allowed);
  if (!reason.isWellFormed()) throw new BadInput(field, 'half of a surrogate pair', allowed);
  if (reason.includes('\0')) throw new BadInput(field, 'the control character U+0000', allowed);
  const length = lengthOf(reason);
  if (length > longestReason) throw new BadInput(field, `${length} characters`, allowed);
}
