import type { Grants } from '../caller/grant.rules.js';
import { BadInput } from '../fault.js';
import { decodeCursor, encodeCursor } from '../relay/cursor.js';
import { pageRequest } from '../relay/paging.js';
import { checkChangeFilter, type ChangeFilter } from './change-filter.rules.js';
import type { ChangePage, ChangePageRepository, ChangePageWanted } from './change-page.repository.js';
import type { ChangesOfStates } from './changes-of-states.repository.js';
import type { Change } from './change.rules.js';

export type { ChangePage };

export interface ChangePaging {
  first?: number | null | undefined;
  after?: string | null | undefined;
}

const order = 'CHANGE';

export class ChangePageService {
  private readonly repository: ChangePageRepository;
  private readonly ofStates: ChangesOfStates;

  constructor(repository: ChangePageRepository, ofStates: ChangesOfStates) {
    this.repository = repository;
    this.ofStates = ofStates;
  }

  async page(filter: ChangeFilter, paging: ChangePaging, grants: Grants): Promise<ChangePage> {
    return this.repository.page(wantedOf(filter, paging, grants));
  }

  async pageOfState(
    stateId: number,
    filter: ChangeFilter,
    paging: ChangePaging,
    grants: Grants,
  ): Promise<ChangePage> {
    return this.ofStates.page(stateId, wantedOf(filter, paging, grants));
  }

  bySequence(sequence: bigint, grants: Grants): Promise<Change | undefined> {
    return this.repository.bySequence(sequence, grants);
  }
}

function wantedOf(filter: ChangeFilter, paging: ChangePaging, grants: Grants): ChangePageWanted {
  const { size } = pageRequest({ first: paging.first });
  checkChangeFilter(filter, 'filter');
  return { filter, grants, size, after: readCursor(paging.after, 'after') };
}

export function cursorOf({ sequence }: Change): string {
  return encodeCursor([order, String(sequence)]);
}

function readCursor(cursor: string | null | undefined, field: string): bigint | undefined {
  if (cursor === null || cursor === undefined) return undefined;
  const [kind, sequence] = decodeCursor(cursor, field);
  if (kind !== order || typeof sequence !== 'string' || !/^[1-9]\d{0,17}$/.test(sequence)) {
    throw new BadInput(
      field,
      'a cursor of another connection',
      'a cursor of the history, as it was answered',
    );
  }
  return BigInt(sequence);
}
