import type { ClassType } from 'type-graphql';
import type { Grants } from './caller/grant.rules.js';
import type { Config } from './config.js';
import { longestQueueMillis } from './database/deadlines.js';
import { Line } from './database/line.js';
import type { Pool } from './database/pool.js';
import type { Log } from './log.js';
import { AsOfRepository } from './history/as-of.repository.js';
import { AsOfResolver } from './history/as-of.resolver.js';
import { AsOfService } from './history/as-of.service.js';
import { ChangePageRepository } from './history/change-page.repository.js';
import { ChangePageService } from './history/change-page.service.js';
import { ChangesOfStates } from './history/changes-of-states.repository.js';
import { changeNode, ScopeStateChangeObject } from './history/change.graphql.js';
import { ChangeResolver } from './history/change.resolver.js';
import { UndoRepository } from './history/undo.repository.js';
import { UndoResolver } from './history/undo.resolver.js';
import { UndoService } from './history/undo.service.js';
import type { Node } from './relay/node.graphql.js';
import { NodeResolver, type NodesOfTypes } from './relay/node.resolver.js';
import { LiveResolver } from './live/live.resolver.js';
import { AdvanceResolver } from './scope-state/advance.resolver.js';
import { AdvanceService } from './scope-state/advance.service.js';
import { CheckResolver } from './scope-state/check.resolver.js';
import { CheckService } from './scope-state/check.service.js';
import { CreateResolver } from './scope-state/create.resolver.js';
import { CreateService } from './scope-state/create.service.js';
import { GroupedDecisions, SingleDecisions } from './scope-state/decisions.repository.js';
import { LockedStatesRepository } from './scope-state/locked-states.repository.js';
import { LookUpService } from './scope-state/look-up.service.js';
import { GroupedLookUps, SingleLookUps } from './scope-state/look-ups.repository.js';
import { PageRepository } from './scope-state/page.repository.js';
import { PageService } from './scope-state/page.service.js';
import { PlainAdvancesRepository } from './scope-state/plain-advances.repository.js';
import { RekeyRepository } from './scope-state/rekey.repository.js';
import { RekeyResolver } from './scope-state/rekey.resolver.js';
import { RekeyService } from './scope-state/rekey.service.js';
import { scopeStateNode, ScopeStatePresenter } from './scope-state/scope-state.graphql.js';
import { ScopeStateRepository } from './scope-state/scope-state.repository.js';
import { ScopeStateResolver } from './scope-state/scope-state.resolver.js';
import { SelectionRepository } from './scope-state/selection.repository.js';
import { SelectionResolver } from './scope-state/selection.resolver.js';
import { SelectionService } from './scope-state/selection.service.js';

/** A change of many states may take minutes, and wait for others' locks: it must not take the connections that others live on. */
const operators = { atOnce: 4, mostWaiting: 100, longestWaitMillis: longestQueueMillis };

/** What the schema is made of: all that printing it needs. */
export const unconnectedResolvers: ClassType[] = [
  ScopeStateResolver,
  CheckResolver,
  AdvanceResolver,
  CreateResolver,
  SelectionResolver,
  RekeyResolver,
  ChangeResolver,
  AsOfResolver,
  UndoResolver,
  NodeResolver,
  LiveResolver,
];

export interface ResolverOptions {
  /** whether requests that arrive together share statements; without, each has its own */
  gather?: boolean;
}

/** Every resolver with what it stands on, made by hand. */
export function createResolvers(
  pool: Pool,
  config: Config,
  log: Log,
  { gather = true }: ResolverOptions = {},
): Map<ClassType, object> {
  const schedule = { period: config.period, waitPeriods: config.waitPeriods };
  const presenter = new ScopeStatePresenter(schedule);
  const states = new ScopeStateRepository(pool);
  const locked = new LockedStatesRepository(pool);
  const lookUps = gather ? new GroupedLookUps(states) : new SingleLookUps(states);
  const decisions = gather
    ? new GroupedDecisions(locked, new PlainAdvancesRepository(pool))
    : new SingleDecisions(locked);
  const lookUp = new LookUpService(states, lookUps);
  const changePages = new ChangePageRepository(pool);
  const changes = new ChangePageService(changePages, new ChangesOfStates(changePages));
  const line = new Line(operators);
  const selections = new SelectionService(new SelectionRepository(pool, line), log);
  const nodes: NodesOfTypes = new Map([
    [
      scopeStateNode,
      async (row: bigint, grants: Grants): Promise<Node | null> => {
        const { state, now } = await lookUp.byId(row, grants);
        return presenter.present(state, now);
      },
    ],
    [
      changeNode,
      async (row: bigint, grants: Grants): Promise<Node | null> => {
        const change = await changes.bySequence(row, grants);
        return change ? new ScopeStateChangeObject(change, presenter) : null;
      },
    ],
  ]);
  return new Map<ClassType, object>([
    [
      ScopeStateResolver,
      new ScopeStateResolver(lookUp, new PageService(new PageRepository(pool)), presenter),
    ],
    [
      CheckResolver,
      new CheckResolver(new CheckService({ states, locked, lookUps, decisions }, schedule), presenter),
    ],
    [AdvanceResolver, new AdvanceResolver(new AdvanceService(decisions), presenter)],
    [CreateResolver, new CreateResolver(new CreateService(decisions), presenter)],
    [SelectionResolver, new SelectionResolver(selections, presenter)],
    [LiveResolver, new LiveResolver(presenter)],
    [RekeyResolver, new RekeyResolver(new RekeyService(new RekeyRepository(pool, line), log), presenter)],
    [ChangeResolver, new ChangeResolver(changes, presenter)],
    [AsOfResolver, new AsOfResolver(new AsOfService(new AsOfRepository(pool)), presenter)],
    [
      UndoResolver,
      new UndoResolver(new UndoService(new UndoRepository(pool, line), changePages, log), presenter),
    ],
    [NodeResolver, new NodeResolver(nodes)],
  ]);
}
