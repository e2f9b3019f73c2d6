import { Field, ID, Int, ObjectType } from 'type-graphql';
import { nodeId } from '../relay/node-id.js';
import { Node } from '../relay/node.graphql.js';
import { DateTime } from '../time/date-time.scalar.js';
import { Duration } from '../time/duration.scalar.js';
import { coveredUntil, duePeriods, lag, nextPeriod, type Period, type Schedule } from './schedule.rules.js';
import { isLegacy, type ShownState } from './scope-state.rules.js';

export const scopeStateNode = 'ScopeState';

@ObjectType('Period', { description: 'A half-open interval [start, end), one collection period long.' })
export class PeriodObject implements Period {
  @Field(() => DateTime, { description: 'The first instant of the period.' })
  start!: Temporal.Instant;

  @Field(() => DateTime, { description: 'The first instant after the period.' })
  end!: Temporal.Instant;
}

@ObjectType(scopeStateNode, {
  implements: Node,
  description:
    'How far a collection unit has been rated. A legacy state, from before collection units existed, has a scope id only; it becomes the state of the first unit that is checked or advanced.',
})
export class ScopeStateObject implements Node {
  private readonly state: ShownState;
  private readonly now: Temporal.Instant;
  private readonly schedule: Schedule;
  private foundNextPeriod: Period | null | undefined;

  constructor(state: ShownState, now: Temporal.Instant, schedule: Schedule) {
    this.state = state;
    this.now = now;
    this.schedule = schedule;
  }

  /** for whatever else is known of it */
  get row(): number {
    return this.state.id;
  }

  @Field(() => ID, { description: 'Opaque and stable: a backfill or a rekey keeps it.' })
  get id(): string {
    return nodeId(scopeStateNode, this.state.id);
  }

  @Field(() => String, { description: 'What is rated, exactly as it was given: 1 to 256 characters.' })
  get scopeId(): string {
    return this.state.scopeId;
  }

  @Field(() => String, {
    nullable: true,
    description: 'What kind of id the scope id is, such as `project_id`. Null in a legacy state.',
  })
  get scopeKey(): string | null {
    return this.state.scopeKey;
  }

  @Field(() => String, {
    nullable: true,
    description: 'The source that usage is read from, such as `gnocchi`. Null in a legacy state.',
  })
  get collector(): string | null {
    return this.state.collector;
  }

  @Field(() => String, {
    nullable: true,
    description: 'What listed the scope, such as `keystone`. Null in a legacy state.',
  })
  get fetcher(): string | null {
    return this.state.fetcher;
  }

  @Field(() => Boolean, {
    description:
      'Whether scope key, collector and fetcher are all three empty. A state with only some of them empty is not legacy, and no check or advance ever touches it: an operator can rekey it.',
  })
  get legacy(): boolean {
    return isLegacy(this.state);
  }

  @Field(() => DateTime, {
    description:
      'The state: the *start* of the last period that has been rated (CloudKitty’s meaning of `last_processed_timestamp`).',
  })
  get lastProcessedTimestamp(): Temporal.Instant {
    return this.state.lastProcessedTimestamp;
  }

  @Field(() => Boolean, { description: 'An inactive scope keeps its state and refuses advances.' })
  get active(): boolean {
    return this.state.active;
  }

  @Field(() => DateTime, { description: 'When `active` last changed, by the database’s clock.' })
  get scopeActivationToggleDate(): Temporal.Instant {
    return this.state.scopeActivationToggleDate;
  }

  @Field(() => DateTime, {
    nullable: true,
    description:
      'When an advance last created or moved the state, by the database’s clock; null if none ever did.',
  })
  get lastAdvancedAt(): Temporal.Instant | null {
    return this.state.lastAdvancedAt;
  }

  @Field(() => DateTime, { description: 'When anything of the state last changed, by the database’s clock.' })
  get updatedAt(): Temporal.Instant {
    return this.state.updatedAt;
  }

  @Field(() => Int, {
    description:
      '1 when created, then one more for each change, other writers’ too. A backfill and the advance that made it count once; two advances in one batch count twice.',
  })
  get version(): number {
    return this.state.version;
  }

  @Field(() => DateTime, {
    description:
      '`lastProcessedTimestamp` plus one period: everything before it is rated. Never later than 9999-12-31T23:59:59.999999Z.',
  })
  get coveredUntil(): Temporal.Instant {
    return coveredUntil(this.state.lastProcessedTimestamp, this.schedule);
  }

  @Field(() => Duration, {
    description: 'How long ago `coveredUntil` was, by the database’s clock; never negative.',
  })
  get lag(): Temporal.Duration {
    return lag(this.state.lastProcessedTimestamp, this.now, this.schedule);
  }

  @Field(() => Int, {
    description:
      'How many periods are due now: with period p and w wait periods, the one after state t is due when t + p + w·p lies before now, strictly (CloudKitty’s rule). 0 for an inactive scope.',
  })
  get duePeriods(): number {
    return this.state.active ? duePeriods(this.state.lastProcessedTimestamp, this.now, this.schedule) : 0;
  }

  @Field(() => PeriodObject, {
    nullable: true,
    description: 'The period to rate next; null when nothing is due.',
  })
  get nextPeriod(): Period | null {
    if (this.foundNextPeriod === undefined)
      this.foundNextPeriod = nextPeriod(this.state, this.now, this.schedule);
    return this.foundNextPeriod;
  }
}

/** Fields for which a row's other times have to be read, too. */
export const timesOfChange = [
  'scopeActivationToggleDate',
  'lastAdvancedAt',
  'updatedAt',
] as const satisfies (keyof ScopeStateObject)[];

/** Shapes what a service answered: one place knows the schedule, and that no state is null. */
export class ScopeStatePresenter {
  private readonly schedule: Schedule;

  constructor(schedule: Schedule) {
    this.schedule = schedule;
  }

  present(state: ShownState, now: Temporal.Instant): ScopeStateObject;
  present(state: ShownState | undefined, now: Temporal.Instant): ScopeStateObject | null;
  present(state: ShownState | undefined, now: Temporal.Instant): ScopeStateObject | null {
    return state ? new ScopeStateObject(state, now, this.schedule) : null;
  }
}
