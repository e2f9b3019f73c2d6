import { checkText, longest } from '../collection-unit/collection-unit.rules.js';
import { BadInput } from '../fault.js';
import { isLegacy, type ShownState } from './scope-state.rules.js';

/** Values of one field are ORed, fields are ANDed; null and absent: not filtered; an empty list matches nothing. */
export interface ScopeStateFilter {
  scopeIds?: string[] | null | undefined;
  scopeKeys?: string[] | null | undefined;
  collectors?: string[] | null | undefined;
  fetchers?: string[] | null | undefined;
  scopeIdPrefix?: string | null | undefined;
  active?: boolean | null | undefined;
  legacy?: boolean | null | undefined;
  processedBefore?: Temporal.Instant | null | undefined;
  processedSince?: Temporal.Instant | null | undefined;
}

const mostValues = 1_000;

const lists = {
  scopeIds: longest.scopeId,
  scopeKeys: longest.scopeKey,
  collectors: longest.collector,
  fetchers: longest.fetcher,
} as const;

/** @throws BadInput naming the first field that no stored text could match, or that is too long a list */
export function checkFilter(filter: ScopeStateFilter, field: string): void {
  for (const [list, longestText] of Object.entries(lists) as [keyof typeof lists, number][]) {
    const values = filter[list] ?? [];
    if (values.length > mostValues) {
      throw new BadInput(`${field}.${list}`, `${values.length} values`, `at most ${mostValues}`);
    }
    values.forEach((value, place) => checkText(value, longestText, `${field}.${list}[${place}]`));
  }
  const prefix = filter.scopeIdPrefix ?? undefined;
  if (prefix !== undefined) checkText(prefix, longest.scopeId, `${field}.scopeIdPrefix`);
}

/** The filter as a test of one state: what `conditionOf` asks of a row. */
export function fitOf(filter: ScopeStateFilter): (state: ShownState) => boolean {
  const tests: ((state: ShownState) => boolean)[] = [];
  const anyOf = (values: string[] | null | undefined, textOf: (state: ShownState) => string | null) => {
    if (!values) return;
    const allowed = new Set<string | null>(values);
    tests.push((state) => allowed.has(textOf(state)));
  };
  anyOf(filter.scopeIds, (state) => state.scopeId);
  anyOf(filter.scopeKeys, (state) => state.scopeKey);
  anyOf(filter.collectors, (state) => state.collector);
  anyOf(filter.fetchers, (state) => state.fetcher);
  const { scopeIdPrefix, active, legacy, processedBefore, processedSince } = filter;
  if (typeof scopeIdPrefix === 'string') tests.push((state) => state.scopeId.startsWith(scopeIdPrefix));
  if (typeof active === 'boolean') tests.push((state) => state.active === active);
  if (typeof legacy === 'boolean') tests.push((state) => isLegacy(state) === legacy);
  const place = ({ lastProcessedTimestamp }: ShownState, instant: Temporal.Instant) =>
    Temporal.Instant.compare(lastProcessedTimestamp, instant);
  if (processedBefore) tests.push((state) => place(state, processedBefore) < 0);
  if (processedSince) tests.push((state) => place(state, processedSince) >= 0);
  return (state) => tests.every((test) => test(state));
}

/** A filter of which nothing is left once nulls are taken out: in a selector it would select the whole cloud. */
export function filtersNothing(filter: ScopeStateFilter): boolean {
  return Object.values(filter).every((value) => value === null || value === undefined);
}
