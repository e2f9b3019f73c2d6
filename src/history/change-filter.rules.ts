import {
  checkText,
  checkUnit,
  longest,
  type CollectionUnit,
} from '../collection-unit/collection-unit.rules.js';
import { BadInput } from '../fault.js';
import type { ChangeKind } from './change.rules.js';

/** Values of one field are ORed, fields are ANDed; null and absent: not filtered; an empty list matches nothing. */
export interface ChangeFilter {
  units?: CollectionUnit[] | null | undefined;
  scopeIds?: string[] | null | undefined;
  collectors?: string[] | null | undefined;
  kinds?: ChangeKind[] | null | undefined;
  actors?: string[] | null | undefined;
  since?: Temporal.Instant | null | undefined;
  until?: Temporal.Instant | null | undefined;
}

const mostValues = 1_000;
/** Longer than a caller's name, or an application's (63) with what stands before it. */
const longestActor = 256;

/** @throws BadInput naming the first field that nothing could match, or that is too long a list */
export function checkChangeFilter(filter: ChangeFilter, field: string): void {
  const { units, ...texts } = filter;
  const lists = {
    units,
    scopeIds: texts.scopeIds,
    collectors: texts.collectors,
    kinds: texts.kinds,
    actors: texts.actors,
  };
  for (const [name, values] of Object.entries(lists)) {
    if (values && values.length > mostValues) {
      throw new BadInput(`${field}.${name}`, `${values.length} values`, `at most ${mostValues}`);
    }
  }
  units?.forEach((unit, place) => checkUnit(unit, `${field}.units[${place}]`));
  const checkAll = (name: 'scopeIds' | 'collectors' | 'actors', longestText: number) =>
    texts[name]?.forEach((text, place) => checkText(text, longestText, `${field}.${name}[${place}]`));
  checkAll('scopeIds', longest.scopeId);
  checkAll('collectors', longest.collector);
  checkAll('actors', longestActor);
}
