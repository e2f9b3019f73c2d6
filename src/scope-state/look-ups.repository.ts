import { tellsOfOneItem } from '../database/faults.js';
import { Gathering, type Job, type LeftOver } from '../database/gathering.js';
import type { CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import type { Found, ScopeStateRepository } from './scope-state.repository.js';

/** Finds the row that a check of a unit would answer. */
export interface LookUps {
  find(unit: CollectionUnit): Promise<Found>;
}

/** Each unit in a statement of its own. */
export class SingleLookUps implements LookUps {
  private readonly states: ScopeStateRepository;

  constructor(states: ScopeStateRepository) {
    this.states = states;
  }

  find(unit: CollectionUnit): Promise<Found> {
    return this.states.find(unit);
  }
}

type LookUpJob = Job<CollectionUnit, Found>;
type Left = LeftOver<CollectionUnit, Found>;

/**
 * Look-ups that arrive while statements are under way share the next one. It begins after the last of them has come: each
 * sees what was committed before it asked.
 */
export class GroupedLookUps implements LookUps {
  private readonly states: ScopeStateRepository;
  private readonly gathering: Gathering<CollectionUnit, Found>;

  constructor(states: ScopeStateRepository) {
    this.states = states;
    this.gathering = new Gathering<CollectionUnit, Found>({
      keyOf: () => undefined,
      run: (jobs) => this.run(jobs),
      ...limits,
    });
  }

  find(unit: CollectionUnit): Promise<Found> {
    return this.gathering.submit(unit);
  }

  private async run(jobs: readonly LookUpJob[]): Promise<Left> {
    try {
      const [only] = jobs;
      if (jobs.length === 1) {
        only!.resolve(await this.states.find(only!.item));
      } else {
        const { states, now } = await this.states.findEach(jobs.map(({ item }) => item));
        jobs.forEach(({ resolve }, place) => resolve({ state: states[place], now }));
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

const nothingLeft: Left = { locked: [], later: [] };

const limits = { runsAtOnce: 2, patientRunsAtOnce: 0, jobsARun: 256, jobsAtMost: 10_000 };
