import type { CollectionUnit } from '../collection-unit/collection-unit.rules.js';
import { namespaceId, projectId } from './demo-id.rules.js';
import { draw } from './draw.rules.js';

/** Its source answers too seldom to keep up: its states fall ever farther behind. */
export const failingCollector = 'monasca';

/** Collectors find some units only after a while, so that there is something to see: in so many rounds at most. */
const latestRound = 10;

const ordinary = 0.9;

/** A unit of the demo's cloud, and what is to be seen of it. */
export interface DemoUnit extends CollectionUnit {
  /** how its state begins; `legacy`: as the scope id's legacy row; `new`: with the first advance of its collector */
  readonly origin: 'filled' | 'legacy' | 'new';
  readonly active: boolean;
  /** how many periods its state is behind at the beginning, on top of those that every state has to wait for */
  readonly periodsBehind: number;
  /** days behind, and its collector does no more than hold the distance */
  readonly straggles: boolean;
  /** its collector sees it from this round on */
  readonly firstRound: number;
}

/** A scope id whose state is from before collection units. */
export interface LegacyScope {
  readonly scopeId: string;
  readonly periodsBehind: number;
}

/** What the demo fills a database with: always the same for one seed and one number of scopes. */
export interface Cloud {
  readonly scopes: number;
  readonly units: readonly DemoUnit[];
  readonly legacy: readonly LegacyScope[];
}

/**
 * Of a hundred scopes, some 20 are namespaces that Prometheus reads and 80 are projects: 50 of Gnocchi's, 15 of Monasca's
 * and 15 of both. Five have a legacy state, two of them of projects that no collector reads any more; three are
 * inactive, three are days behind, two are new. The first one is ordinary, so that there is a state at least.
 */
export function planCloud(seed: number, scopes: number): Cloud {
  const units: DemoUnit[] = [];
  const legacy: LegacyScope[] = [];
  for (let place = 0; place < scopes; place++) {
    const of = (what: string) => draw(seed, what, place);
    const kind = of('kind');
    const collectors = kind < 0.5 ? ['gnocchi'] : kind < 0.65 ? ['monasca'] : ['gnocchi', 'monasca'];
    const isNamespace = kind >= 0.8;
    const scopeId = isNamespace ? namespaceId(seed, place) : projectId(seed, place);
    const fate = place === 0 ? ordinary : of('fate');
    const isLegacy = !isNamespace && fate < 0.0625; // of the 80 projects: 5
    const straggles = fate >= 0.5 && fate < 0.53;
    const periodsBehind = straggles ? 48 + 192 * of('days') : behindOf(of('behind'));
    if (isLegacy) legacy.push({ scopeId, periodsBehind });
    if (isLegacy && fate < 0.025) continue; // nobody reads it any more
    const isNew = fate >= 0.6 && fate < 0.62;
    const common: Omit<DemoUnit, keyof CollectionUnit> = {
      origin: isLegacy ? 'legacy' : isNew ? 'new' : 'filled',
      active: fate < 0.8 || fate >= 0.83,
      periodsBehind,
      straggles,
      firstRound: isLegacy || isNew ? Math.floor(of('round') * latestRound) : 0,
    };
    if (isNamespace) {
      units.push({
        scopeId,
        scopeKey: 'namespace',
        collector: 'prometheus',
        fetcher: 'prometheus',
        ...common,
      });
      continue;
    }
    for (const collector of collectors) {
      units.push({ scopeId, scopeKey: 'project_id', collector, fetcher: 'keystone', ...common });
    }
  }
  return { scopes, units, legacy };
}

/** Seven of ten are up to date, at one point or another of their period; the others are a few periods behind. */
function behindOf(drawn: number): number {
  return drawn < 0.7 ? drawn / 0.7 : 1 + ((drawn - 0.7) / 0.3) * 11;
}
