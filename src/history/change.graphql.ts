import { Field, ID, ObjectType } from 'type-graphql';
import { nodeId } from '../relay/node-id.js';
import { Node } from '../relay/node.graphql.js';
import {
  scopeStateNode,
  ScopeStateObject,
  type ScopeStatePresenter,
} from '../scope-state/scope-state.graphql.js';
import type { ShownState } from '../scope-state/scope-state.rules.js';
import { DateTime } from '../time/date-time.scalar.js';
import { ScopeStateChangeKind } from './change-kind.graphql.js';
import type { Change, ChangeKind } from './change.rules.js';

export const changeNode = 'ScopeStateChange';

@ObjectType(changeNode, {
  implements: Node,
  description:
    'An entry of the history: what one statement did to one state, written in the same transaction. Nothing alters one; it is pruned when it is older than `SCOPESTATE_HISTORY_RETENTION`.',
})
export class ScopeStateChangeObject implements Node {
  private readonly change: Change;
  private readonly presenter: ScopeStatePresenter;

  constructor(change: Change, presenter: ScopeStatePresenter) {
    this.change = change;
    this.presenter = presenter;
  }

  @Field(() => ID, { description: 'Opaque and stable.' })
  get id(): string {
    return nodeId(changeNode, this.change.sequence);
  }

  @Field(() => String, {
    description:
      'Its place in the history, a whole number: of two changes of one state the later one has the larger. Numbers can be missing: a transaction that was rolled back had them.',
  })
  get sequence(): string {
    return String(this.change.sequence);
  }

  @Field(() => ScopeStateChangeKind, { description: 'What was done.' })
  get kind(): ChangeKind {
    return this.change.kind;
  }

  @Field(() => ID, { description: 'The id of the state, which may be gone by now.' })
  get stateId(): string {
    return nodeId(scopeStateNode, this.change.stateId);
  }

  @Field(() => String, {
    description:
      'The scope id that the state had then: after the change, or as last where it was removed or moved to a unit that the caller is not granted.',
  })
  get scopeId(): string {
    return this.then.scopeId;
  }

  @Field(() => String, { nullable: true, description: 'The scope key that it had then.' })
  get scopeKey(): string | null {
    return this.then.scopeKey;
  }

  @Field(() => String, { nullable: true, description: 'The collector that it had then.' })
  get collector(): string | null {
    return this.then.collector;
  }

  @Field(() => String, { nullable: true, description: 'The fetcher that it had then.' })
  get fetcher(): string | null {
    return this.then.fetcher;
  }

  @Field(() => ScopeStateObject, {
    nullable: true,
    description:
      'The state before the change, with `lag` and what was due as they were when it was changed; null where the change made it, or moved it here from a unit that the caller is not granted.',
  })
  get before(): ScopeStateObject | null {
    return this.presenter.present(this.change.before, this.change.changedAt);
  }

  @Field(() => ScopeStateObject, {
    nullable: true,
    description:
      'The state after the change, in the same way; null where the change removed it, or moved it to a unit that the caller is not granted.',
  })
  get after(): ScopeStateObject | null {
    return this.presenter.present(this.change.after, this.change.changedAt);
  }

  @Field(() => DateTime, {
    description:
      'When the change was made, by the database’s clock: within its transaction, so before others could see it.',
  })
  get changedAt(): Temporal.Instant {
    return this.change.changedAt;
  }

  @Field(() => String, {
    description:
      'Who: the caller; `import` for `scopestate import`; `external:` and the name of its application (its database role where it gives none) for another program.',
  })
  get actor(): string {
    return this.change.actor;
  }

  @Field(() => String, {
    nullable: true,
    description:
      'Why, as the operator said; null for collectors, and where the state moved from or to a unit that the caller is not granted.',
  })
  get reason(): string | null {
    return this.change.reason;
  }

  @Field(() => String, {
    nullable: true,
    description: 'The id of the request, as in its answer and in the log; null for other programs.',
  })
  get requestId(): string | null {
    return this.change.requestId;
  }

  private get then(): ShownState {
    return (this.change.after ?? this.change.before)!;
  }
}
