import type { Grants } from '../caller/grant.rules.js';
import { decodeCursor, encodeCursor } from '../relay/cursor.js';
import { pageRequest, type PageArguments } from '../relay/paging.js';
import { checkFilter, type ScopeStateFilter } from './filter.rules.js';
import type { Page, PageRepository } from './page.repository.js';
import { positionFrom, positionOf, positionParts, type Order, type Position } from './position.rules.js';
import type { ShownState } from './scope-state.rules.js';

export interface PageResult extends Page {
  cursorOf: (state: ShownState) => string;
  /** counts anew each time it is called: only when asked for */
  count: () => Promise<number>;
}

export class PageService {
  private readonly repository: PageRepository;

  constructor(repository: PageRepository) {
    this.repository = repository;
  }

  /** States that are not granted are on no page, and in no count. */
  async page(
    filter: ScopeStateFilter,
    order: Order,
    paging: PageArguments,
    { grants, timesOfChanges }: { grants: Grants; timesOfChanges: boolean },
  ): Promise<PageResult> {
    const { size, backward } = pageRequest(paging);
    checkFilter(filter, 'filter');
    const places = {
      after: readCursor(paging.after, order, 'after'),
      before: readCursor(paging.before, order, 'before'),
    };
    const wanted = { filter, grants, order, size, backward, ...places, timesOfChanges };
    const page = await this.repository.page(wanted);
    return {
      ...page,
      cursorOf: (state) => encodeCursor(positionParts(positionOf(state, order), order)),
      count: () => this.repository.count(filter, grants),
    };
  }
}

function readCursor(cursor: string | null | undefined, order: Order, field: string): Position | undefined {
  if (cursor === null || cursor === undefined) return undefined;
  return positionFrom(decodeCursor(cursor, field), order, field);
}
