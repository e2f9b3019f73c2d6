import { Gathering, type Job, type LeftOver } from '../database/gathering.js';
import type { ChangePage, ChangePageRepository, ChangePageWanted } from './change-page.repository.js';

interface Wanted {
  readonly stateId: number;
  readonly page: ChangePageWanted;
}

type PageJob = Job<Wanted, ChangePage>;

/** So many rows a statement answers at most, unless a page alone has more. */
const mostRows = 2_000;

/** What is asked of a thousand states of a page, each for itself, is asked of the database together. */
export class ChangesOfStates {
  private readonly pages: ChangePageRepository;
  private readonly gathering: Gathering<Wanted, ChangePage>;

  constructor(pages: ChangePageRepository) {
    this.pages = pages;
    this.gathering = new Gathering<Wanted, ChangePage>({
      keyOf: () => undefined,
      run: (jobs) => this.run(jobs),
      ...limits,
    });
  }

  /** @throws Unavailable when too many wait already, or the database is at fault */
  page(stateId: number, page: ChangePageWanted): Promise<ChangePage> {
    return this.gathering.submit({ stateId, page });
  }

  private async run(jobs: readonly PageJob[]): Promise<LeftOver<Wanted, ChangePage>> {
    for (const alike of Map.groupBy(jobs, ({ item }) => keyOf(item.page)).values()) {
      const states = Math.max(1, Math.floor(mostRows / (alike[0]!.item.page.size + 1)));
      for (let from = 0; from < alike.length; from += states) {
        await this.ask(alike.slice(from, from + states));
      }
    }
    return { locked: [], later: [] };
  }

  private async ask(jobs: readonly PageJob[]): Promise<void> {
    const ids = jobs.map(({ item }) => item.stateId);
    try {
      const pages = await this.pages.pagesOfStates(ids, jobs[0]!.item.page);
      jobs.forEach(({ resolve }, place) => resolve(pages[place]!));
    } catch (error) {
      for (const { reject } of jobs) reject(error);
    }
  }
}

/** The same for pages of which only the state differs. */
function keyOf({ filter, grants, size, after }: ChangePageWanted): string {
  return JSON.stringify([filter, grants, size, after === undefined ? null : String(after)]);
}

/** A request may ask for tens of thousands, by its cost. A run is short, so that those of others come in between. */
const limits = { runsAtOnce: 2, patientRunsAtOnce: 0, jobsARun: 250, jobsAtMost: 100_000 };
