import { allUnits } from '../../src/caller/grant.rules.js';
import type { PageWanted } from '../../src/scope-state/page.repository.js';

/** All that a page can be asked for, as an API's caller has it who says nothing. */
export const plainPage: PageWanted = {
  filter: {},
  grants: allUnits,
  order: { field: 'SCOPE_ID', direction: 'ASC' },
  size: 100,
  backward: false,
  after: undefined,
  before: undefined,
  timesOfChanges: true,
};
