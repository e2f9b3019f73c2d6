import { tellsOfOneItem } from '../database/faults.js';
import { Gathering, type Job, type LeftOver } from '../database/gathering.js';
import type { CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import type { ScopeStateRepository, Seen } from './scope-state.repository.js';
import type { ScopeState } from './scope-state.rules.js';

/** Finds rows by which `rowFor` answers the look-up of a unit; others, of its scope id, may be among them. */
export interface LookUps {
  candidates(unit: CollectionUnit): Promise<Seen>;
}

/** Each unit in a statement of its own. */
export class SingleLookUps implements LookUps {
  private readonly states: ScopeStateRepository;

  constructor(states: ScopeStateRepository) {
    this.states = states;
  }

  candidates(unit: CollectionUnit): Promise<Seen> {
    return this.states.candidates([unit]);
  }
}

type LookUpJob = Job<CollectionUnit, Seen>;
type Left = LeftOver<CollectionUnit, Seen>;

/**
 * Look-ups that arrive while statements are under way share the next one. It begins after the last of them has come: each
 * sees what was committed before it asked.
 */
export class GroupedLookUps implements LookUps {
  private readonly states: ScopeStateRepository;
  private readonly gathering: Gathering<CollectionUnit, Seen>;

  constructor(states: ScopeStateRepository) {
    this.states = states;
    this.gathering = new Gathering<CollectionUnit, Seen>({
      keyOf: () => undefined,
      run: (jobs) => this.run(jobs),
      ...limits,
    });
  }

  candidates(unit: CollectionUnit): Promise<Seen> {
    return this.gathering.submit(unit);
  }

  private async run(jobs: readonly LookUpJob[]): Promise<Left> {
    try {
      const { rows, now } = await this.states.candidates(jobs.map(({ item }) => item));
      const rowsOfScope = jobs.length === 1 ? undefined : Map.groupBy(rows, (row) => row.scopeId);
      for (const { item, resolve } of jobs) {
        resolve({ rows: rowsOfScope ? (rowsOfScope.get(item.scopeId) ?? none) : rows, now });
      }
    } catch (error) {
      if (jobs.length === 1 || !tellsOfOneItem(error)) {
        for (const { reject } of jobs) reject(error);
      } else {
        const middle = jobs.length >> 1;
        await this.run(jobs.slice(0, middle));
        await this.run(jobs.slice(middle));
      }
    }
    return nothingLeft;
  }
}

const none: ScopeState[] = [];
const nothingLeft: Left = { locked: [], later: [] };

const limits = { runsAtOnce: 2, patientRunsAtOnce: 0, jobsARun: 256, jobsAtMost: 10_000 };
