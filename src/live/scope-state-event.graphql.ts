import { Field, ID, ObjectType } from 'type-graphql';
import { changeKindDescriptions, enumOf } from '../history/change-kind.graphql.js';
import type { ChangeKind } from '../history/change.rules.js';
import { nodeId } from '../relay/node-id.js';
import {
  scopeStateNode,
  ScopeStateObject,
  type ScopeStatePresenter,
} from '../scope-state/scope-state.graphql.js';
import { DateTime } from '../time/date-time.scalar.js';
import type { ScopeStateEvent } from './change-stream.js';

const resync =
  'Something may be missing: the subscriber was away longer than the history goes back, read too slowly, or asked for what comes after a sequence that there is not. Load what you show anew, then subscribe after this event’s `sequence`. The last event of its subscription.';

const ScopeStateEventKind = enumOf(
  'ScopeStateEventKind',
  'What was done to a state, or that the subscriber has to load everything anew.',
  { ...changeKindDescriptions, RESYNC: resync },
);

@ObjectType('ScopeStateEvent', {
  description:
    'A change of a state, sent once it is committed. Changes of one state come in the order in which they were made.',
})
export class ScopeStateEventObject {
  private readonly event: ScopeStateEvent;
  private readonly presenter: ScopeStatePresenter;

  constructor(event: ScopeStateEvent, presenter: ScopeStatePresenter) {
    this.event = event;
    this.presenter = presenter;
  }

  @Field(() => String, {
    description:
      'Grows from event to event: a whole number as text. Whoever subscribes again with the last one as `afterSequence` misses nothing and sees nothing twice.',
  })
  get sequence(): string {
    return String(this.event.sequence);
  }

  @Field(() => ScopeStateEventKind, { description: 'What was done.' })
  get kind(): ChangeKind | 'RESYNC' {
    return this.event.kind;
  }

  @Field(() => ID, {
    nullable: true,
    description: 'The id of the state that was changed; null for `RESYNC`.',
  })
  get scopeStateId(): string | null {
    const { change } = this.event;
    return change ? nodeId(scopeStateNode, change.stateId) : null;
  }

  @Field(() => ScopeStateObject, {
    nullable: true,
    description:
      'The state after the change, with `lag` and what is due as of then; it may be one that the filter does not let through any more. Null where the change removed it or moved it to a unit that the subscriber is not granted, and for `RESYNC`.',
  })
  get scopeState(): ScopeStateObject | null {
    const { change } = this.event;
    return change ? this.presenter.present(change.after, change.changedAt) : null;
  }

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it was changed, by the database’s clock; null for `RESYNC`.',
  })
  get changedAt(): Temporal.Instant | null {
    return this.event.change?.changedAt ?? null;
  }
}
