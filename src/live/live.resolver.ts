import { Arg, Authorized, Resolver, Root, type SubscribeResolverData, Subscription } from 'type-graphql';
import { anyRole } from '../caller/role.rules.js';
import type { CallContext } from '../caller/caller.js';
import { ScopeStateFilterInput } from '../scope-state/filter.graphql.js';
import type { ScopeStatePresenter } from '../scope-state/scope-state.graphql.js';
import type { ScopeStateEvent } from './change-stream.js';
import type { SubscriptionWanted } from './live.service.js';
import { ScopeStateEventObject } from './scope-state-event.graphql.js';

/** Under this name the application hands the stream of events to the schema. */
export const scopeStateEvents = 'scopeStateEvents';

@Resolver()
export class LiveResolver {
  private readonly presenter: ScopeStatePresenter;

  constructor(presenter: ScopeStatePresenter) {
    this.presenter = presenter;
  }

  @Authorized(anyRole)
  @Subscription(() => ScopeStateEventObject, {
    topics: scopeStateEvents,
    topicId: ({ args, context }: SubscribeResolverData<unknown, SubscriptionWanted, CallContext>) => ({
      args,
      context,
    }),
    description:
      'Changes of states, whoever makes them: through any scopestate server of the database, or past all of them. Over WebSocket (`graphql-transport-ws`) at this address, or as server-sent events at `/graphql/stream`.',
  })
  scopeStateChanged(
    @Root() event: ScopeStateEvent,
    @Arg('filter', () => ScopeStateFilterInput, {
      nullable: true,
      description: 'Which states: a change is sent when the state matched before it or matches after it.',
    })
    _filter?: ScopeStateFilterInput,
    @Arg('afterSequence', () => String, {
      nullable: true,
      description:
        'The `sequence` of the last event that was seen: first comes all that was changed since. Without it, what is changed from now on.',
    })
    _afterSequence?: string,
  ): ScopeStateEventObject {
    return new ScopeStateEventObject(event, this.presenter);
  }
}
